import { createBus, DeadLetter, RetryLater } from "@waybill/core";
import { invoices, orders } from "./contracts.ts";
import { circuitBreaker, deduplicate } from "./extensions.ts";

interface Charge {
  status: "ok" | "declined" | "busy";
  cents: number;
}
declare const psp: {
  charge(id: string, total: number, options: { signal: AbortSignal; idempotencyKey: string }): Promise<Charge>;
  refund(id: string): Promise<{ refunded: boolean }>;
};
declare const redis: { seen(id: string): Promise<boolean>; mark(id: string, ttl: number): Promise<void> };

await using bus = createBus({ app: "billing" });
const subscription = await bus.subscribe(
  orders,
  {
    concurrency: 100,
    timeout: "30s",
    retry: { attempts: 5, backoff: { initial: "100ms", max: "10s" } },
    use: [deduplicate({ store: redis, ttl: "1d" }), circuitBreaker({ failures: 5, halfOpenAfter: "10s" })],
  },
  {
    "order.placed": async ({ id, payload, signal, attempt }) => {
      // The output of the transform, and of the default.
      payload.placedAt satisfies Date;
      payload.note satisfies string;
      const result = await psp.charge(payload.orderId, payload.total, { signal, idempotencyKey: id });
      if (result.status === "declined") throw new DeadLetter("card declined", { cause: result });
      if (result.status === "busy") throw new RetryLater({ after: attempt > 3 ? "5m" : "30s", counts: false });
      await bus.publish(invoices, { id: payload.orderId, cents: result.cents });
    },
    // It returns a value, which is ignored.
    "order.cancelled": ({ payload }) => psp.refund(payload.orderId),
  },
);
void subscription.closed.then((error) => {
  if (error) process.exitCode = 1;
});

// One function in place of a map: a discriminated union, destructured.
await bus.subscribe(orders, { group: "billing-audit", from: "latest" }, ({ type, payload, key, headers }) => {
  switch (type) {
    case "order.placed":
      payload.total satisfies number;
      break;
    case "order.cancelled":
      payload.reason satisfies string;
      break;
    case "order.shipped":
      payload.carrier satisfies "dhl" | "ups";
      break;
    default:
      (type) satisfies never;
  }
  key satisfies string | undefined;
  headers["x-tenant"] satisfies string | undefined;
});
await bus.subscribe(invoices, async ({ payload, type, topic }) => {
  payload.cents satisfies number;
  (type) satisfies string;
  topic satisfies string;
});
process.once("SIGTERM", () => {
  void bus.close().then(
    () => process.exit(),
    () => process.exit(1),
  );
});
