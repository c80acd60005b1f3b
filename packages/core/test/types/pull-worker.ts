import { createBus } from "@waybill/core";
import { orders } from "./contracts.ts";

declare function print(carrier: "dhl" | "ups", options: { signal: AbortSignal }): Promise<void>;

await using bus = createBus({ app: "labels" });
await using work = await bus.pull(orders, { unhandled: "ignore", retry: { attempts: 3 } });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

while (!stop.signal.aborted) {
  const delivery = await work.receive({ timeout: "30s", signal: stop.signal });
  if (!delivery) continue;
  if (delivery.type !== "order.shipped") {
    delivery.ack();
    continue;
  }
  try {
    await print(delivery.payload.carrier, { signal: delivery.signal });
    delivery.ack();
  } catch (error) {
    delivery.nack(error);
  }
}
for await (const { type, payload, ack } of work) {
  if (type === "order.cancelled") payload.reason satisfies string;
  ack();
}
