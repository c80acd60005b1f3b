import { randomUUID } from "node:crypto";
import { createBus, type Publisher, WaybillError } from "@waybill/core";
import Fastify from "fastify";
import { orders } from "./contracts.ts";
import { metrics, outbox, type Tx } from "./extensions.ts";

declare const db: { transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> };

const app = Fastify({ logger: true });
const bus = createBus({ app: "shop", transport: "kafka://localhost:9092", logger: app.log }).use(metrics());
const box = outbox({ app: "shop" });

async function place(publisher: Publisher, total: number, tenant: string | undefined) {
  const orderId = randomUUID();
  const placed = { orderId, total, placedAt: new Date().toISOString() };
  const receipt = await publisher.publish(orders, "order.placed", placed, { headers: { "x-tenant": tenant } });
  return { orderId, messageId: receipt.id satisfies string };
}

app.post<{ Body: { total: number } }>("/orders", async (request, reply) => {
  const given = request.headers["x-tenant"];
  const tenant = Array.isArray(given) ? given[0] : given;
  return reply.code(201).send(await db.transaction((tx) => place(box.within(tx), request.body.total, tenant)));
});
app.delete<{ Params: { id: string } }>("/orders/:id", async (request, reply) => {
  try {
    await bus.publish(orders, "order.cancelled", { orderId: request.params.id, reason: "customer" }, { timeout: "2s" });
    return await reply.code(202).send();
  } catch (error) {
    if (error instanceof WaybillError && error.code === "WAYBILL_PUBLISH_TIMEOUT") {
      return reply.code(503).header("retry-after", "1").send({ code: error.code });
    }
    throw error;
  }
});
app.get("/health", async (_request, reply) => {
  const health = await bus.health();
  return reply.code(health.status === "down" ? 503 : 200).send(health);
});
app.addHook("onClose", () => bus.close({ timeout: "20s" }));

await bus.ready({ topics: [orders], timeout: "30s" });
await app.listen({ port: 3000 });
