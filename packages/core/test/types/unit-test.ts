import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@waybill/core";
import { createTestBus } from "@waybill/memory";
import { invoices, orders } from "./contracts.ts";

async function startBilling(bus: Bus, charge: (id: string) => Promise<number>) {
  await bus.subscribe(
    orders,
    { group: "billing", retry: { attempts: 3, backoff: "10s" } },
    {
      "order.placed": async ({ payload }) => {
        await bus.publish(invoices, { id: payload.orderId, cents: await charge(payload.orderId) });
      },
    },
  );
}

const placed = { orderId: "o-1", total: 4, placedAt: "2026-01-01T00:00:00Z" };

test("an order that is placed becomes an invoice", async () => {
  await using bus = createTestBus();
  await startBilling(bus, async () => 400);
  await bus.publish(orders, "order.placed", placed, { correlationId: "c-1" });
  await bus.idle();
  const [invoice] = bus.published(invoices);
  assert.deepEqual(invoice?.payload, { id: "o-1", cents: 400 });
  assert.equal(invoice?.correlationId, "c-1");
});

test("three failures end in a dead letter, and its replay is charged", async () => {
  await using bus = createTestBus({ app: "billing" });
  let broken = true;
  await startBilling(bus, async () => {
    if (broken) throw new Error("psp");
    return 1;
  });
  await bus.publish(orders, "order.placed", placed);
  await bus.idle(); // The first attempt was made; the next waits for the clock.
  await bus.clock.advance("10s");
  await bus.clock.runAll();
  assert.equal(bus.deadLettered(orders, "billing")[0]?.attempts, 3);
  broken = false;
  await bus.admin.deadLetters(orders, "billing").replay();
  await bus.idle();
  assert.equal(bus.published(invoices).length, 1);
});

test("a failed publish fails the request", async () => {
  await using bus = createTestBus();
  bus.inject("publish-fails", { topic: orders, times: 1 });
  await assert.rejects(bus.publish(orders, "order.placed", placed), { code: "WAYBILL_PUBLISH_TIMEOUT" });
  for (const message of bus.published(orders)) {
    if (message.type === "order.placed") message.payload.placedAt satisfies Date;
  }
});
