import { createBus } from "@waybill/core";
import { orders } from "./contracts.ts";

declare function charge(id: string, total: number, options: { signal: AbortSignal }): Promise<{ receipt: string }>;
declare function refund(id: string): Promise<void>;

const bus = createBus({ app: "billing", transport: "kafka://localhost:9092" });
await bus.publish(orders, "order.placed", { orderId: "o-1", total: 40, placedAt: "2026-01-01T00:00:00Z" });
const subscription = await bus.subscribe(
  orders,
  { concurrency: 100, retry: { attempts: 5, backoff: { initial: "100ms", max: "10s" } } },
  {
    "order.placed": async ({ payload, signal }) => charge(payload.orderId, payload.total, { signal }),
    "order.cancelled": async ({ payload }) => refund(payload.orderId),
  },
);
subscription.pause();
await bus.close();
