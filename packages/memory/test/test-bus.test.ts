import { setTimeout as pause } from "node:timers/promises";
import { type Bus, topic } from "@waybill/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createTestBus } from "../src/index.ts";

const orders = topic("shop.orders", {
  events: {
    "order.placed": z.object({ orderId: z.string(), placedAt: z.iso.datetime().pipe(z.coerce.date()) }),
    "order.cancelled": z.object({ orderId: z.string() }),
  },
  key: ({ payload }) => payload.orderId,
});
const invoices = topic("billing.invoices", { schema: z.object({ id: z.string(), cents: z.number() }) });
const placed = { orderId: "o-1", placedAt: "2026-01-01T00:00:00Z" };

async function startBilling(bus: Bus, charge: (id: string) => Promise<number> | number) {
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

const failing = () => {
  throw new Error("psp");
};

describe("a test bus", () => {
  test("is idle when what was published has been handled, with all that followed from it", async () => {
    await using bus = createTestBus();
    await startBilling(bus, async () => {
      await pause(20);
      return 400;
    });
    void bus.publish(orders, "order.placed", placed, { correlationId: "c-1", headers: { tenant: "a" } });
    await bus.idle();
    expect(bus.published(invoices)).toMatchObject([{ payload: { id: "o-1", cents: 400 }, correlationId: "c-1" }]);
    const [order] = bus.published(orders);
    expect(order).toMatchObject({ type: "order.placed", key: "o-1", headers: { tenant: "a" } });
    // The output of the schema, as a handler gets it.
    expect(order?.type === "order.placed" && order.payload.placedAt).toEqual(new Date(placed.placedAt));
  });

  test("says what it is busy with when it does not become idle", async () => {
    await using bus = createTestBus();
    const { promise: stuck, resolve } = Promise.withResolvers<void>();
    await bus.subscribe(invoices, { group: "slow" }, () => stuck);
    await bus.publish(invoices, { id: "i", cents: 1 });
    await expect(bus.idle({ timeout: 20 })).rejects.toThrow(/1 handlers run.*billing\.invoices.*slow/);
    resolve();
    await bus.idle();
  });

  test("retries when the clock is moved, not before, and gives up into the dead letters", async () => {
    await using bus = createTestBus({ app: "billing", logger: quiet });
    let attempts = 0;
    await startBilling(bus, () => {
      attempts++;
      return failing();
    });
    const start = bus.clock.now();
    await bus.publish(orders, "order.placed", placed, { headers: { tenant: "a" } });
    await bus.idle();
    expect(attempts).toBe(1);
    await bus.clock.advance("10s");
    expect(bus.clock.now().getTime() - start.getTime()).toBe(10_000);
    await bus.clock.runAll();
    expect(attempts).toBe(3);
    const [dead] = bus.deadLettered(orders, "billing");
    expect(dead).toMatchObject({ type: "order.placed", key: "o-1", attempts: 3, headers: { tenant: "a" } });
    expect(dead?.error).toContain("psp");
    expect(dead?.failedAt.getTime()).toBeGreaterThanOrEqual(start.getTime());
    expect(bus.deadLettered("shop.orders")).toHaveLength(1);
    expect(bus.deadLettered(orders, "other")).toEqual([]);
  });

  test("replays a dead letter when the cause is mended", async () => {
    await using bus = createTestBus({ logger: quiet });
    let broken = true;
    await startBilling(bus, () => (broken ? failing() : 1));
    for (const orderId of ["o-1", "o-2"]) await bus.publish(orders, "order.placed", { ...placed, orderId });
    await bus.clock.runAll();
    const dead = bus.admin.deadLetters(orders, "billing");
    expect(await dead.count()).toBe(2);
    broken = false;
    expect(await dead.replay({ where: ({ key }) => key === "o-1" })).toBe(1);
    await bus.idle();
    expect(bus.published(invoices).map(({ payload }) => payload.id)).toEqual(["o-1"]);
    expect(bus.deadLettered(orders, "billing").map(({ key }) => key)).toEqual(["o-2"]);
    expect(await dead.discard()).toBe(1);
    expect(await dead.count()).toBe(0);
  });

  test("lets a publish fail, once", async () => {
    await using bus = createTestBus();
    bus.inject("publish-fails", { topic: orders });
    await bus.publish(invoices, { id: "i", cents: 1 });
    await expect(bus.publish(orders, "order.placed", placed)).rejects.toMatchObject({ code: "WAYBILL_PUBLISH_TIMEOUT" });
    await bus.publish(orders, "order.placed", placed);
    expect(bus.published(orders)).toHaveLength(1);
    const error = new Error("disk full");
    bus.inject("publish-fails", { error });
    await expect(bus.publish(orders, "order.placed", placed)).rejects.toMatchObject({
      code: "WAYBILL_PUBLISH_REFUSED",
      cause: error,
    });
  });

  test("lets a message come twice", async () => {
    await using bus = createTestBus();
    const seen: (readonly [string, boolean])[] = [];
    await bus.subscribe(invoices, { group: "g" }, ({ payload, redelivered }) => seen.push([payload.id, redelivered]));
    bus.inject("redeliver", { topic: invoices });
    for (const id of ["a", "b"]) await bus.publish(invoices, { id, cents: 1 });
    await bus.idle();
    // Whichever was handed over first came again.
    const twice = seen.find(([, redelivered]) => redelivered)?.[0];
    expect(seen.filter(([id]) => id === twice)).toEqual([
      [twice, false],
      [twice, true],
    ]);
    expect(seen).toHaveLength(3);
  });

  test("lets the connection be lost, and loses nothing", async () => {
    await using bus = createTestBus({ logger: quiet });
    const seen = new Set<string>();
    await bus.subscribe(invoices, { group: "g" }, ({ payload }) => seen.add(payload.id));
    const publishes = Array.from({ length: 20 }, (_, i) => bus.publish(invoices, { id: String(i), cents: 1 }));
    bus.inject("connection-lost", { times: 2 });
    await bus.clock.advance("30s");
    await Promise.all(publishes);
    await bus.idle();
    expect(seen.size).toBe(20);
  });

  test("refuses what would not survive the way to a handler", async () => {
    await using bus = createTestBus();
    const dates = topic("dates", { schema: z.object({ at: z.date() }) });
    await expect(bus.publish(dates, { at: new Date() })).rejects.toMatchObject({
      code: "WAYBILL_PAYLOAD_INVALID",
      message: expect.stringMatching(/does not survive.*at: /),
    });
    expect(bus.published(dates)).toEqual([]);
  });

  test("sees topics by their own names behind a prefix", async () => {
    await using bus = createTestBus({ prefix: "blue.", logger: quiet });
    await bus.subscribe(invoices, { group: "g", retry: { attempts: 1 } }, failing);
    await bus.publish(invoices, { id: "i", cents: 1 });
    await bus.idle();
    expect(bus.published(invoices)).toHaveLength(1);
    expect(bus.deadLettered(invoices, "g")).toHaveLength(1);
  });

  test("does not wait for what a test has pulled", async () => {
    await using bus = createTestBus();
    const puller = await bus.pull(invoices, { group: "g" });
    await bus.publish(invoices, { id: "i", cents: 1 });
    const delivery = await puller.receive();
    await bus.idle();
    delivery?.ack();
    await bus.idle();
    expect(delivery?.payload.id).toBe("i");
  });

  test("keeps apart from every other, and from brokers of the same process", async () => {
    await using one = createTestBus();
    await using other = createTestBus();
    await one.publish(invoices, { id: "i", cents: 1 });
    expect(other.published(invoices)).toEqual([]);
  });
});

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
