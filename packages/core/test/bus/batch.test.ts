import { memory } from "@waybill/memory";
import { expect, test } from "vitest";
import { createBus, silent, topic, unchecked } from "./support.ts";

const readings = topic("readings", { schema: unchecked<{ n: number }>() });
const orders = topic("orders", {
  schema: unchecked<{ key: string; n: number }>(),
  key: ({ payload }) => payload.key,
  partitions: 1,
});

test("a batch holds what there is, up to its limits", async () => {
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent });
  const sizes: number[] = [];
  const all = Promise.withResolvers<void>();
  let seen = 0;
  await bus.publishMany(
    readings,
    Array.from({ length: 250 }, (_, n) => ({ payload: { n } })),
  );
  await bus.subscribeBatch(readings, { maxSize: 100, maxWait: "20ms" }, ({ items }) => {
    sizes.push(items.length);
    seen += items.length;
    if (seen === 250) all.resolve();
  });
  await all.promise;
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  expect(seen).toBe(250);
});

test("messages of one key share a batch in their order", async () => {
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent });
  const batches: number[][] = [];
  const all = Promise.withResolvers<void>();
  await bus.publishMany(
    orders,
    Array.from({ length: 20 }, (_, n) => ({ payload: { key: "a", n } })),
  );
  await bus.subscribeBatch(orders, { maxSize: 8, maxWait: "5ms", concurrency: 3 }, async ({ items }) => {
    batches.push(items.map(({ payload }) => payload.n));
    if (batches.flat().length === 20) all.resolve();
  });
  await all.promise;
  expect(batches.flat()).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(batches.length).toBeLessThan(8);
});

test("an item that fails is tried again before the later ones of its key, and the rest of the batch stays done", async () => {
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent });
  const done: string[] = [];
  const all = Promise.withResolvers<void>();
  const failed = new Set<number>();
  await bus.publishMany(
    orders,
    ["a", "b", "a", "b", "a"].map((key, n) => ({ payload: { key, n } })),
  );
  await bus.subscribeBatch(orders, { maxSize: 5, maxWait: "5ms", retry: { backoff: "1ms" } }, ({ items, fail }) => {
    const stopped = new Set<string>();
    for (const item of items) {
      const { key, n } = item.payload;
      if (n === 2 && !failed.has(n)) {
        failed.add(n);
        stopped.add(key);
        fail(item, new Error("not yet"));
      } else if (!stopped.has(key)) done.push(`${key}${n}`);
    }
    if (done.length === 5) all.resolve();
  });
  await all.promise;
  expect(done.filter((one) => one.startsWith("a"))).toEqual(["a0", "a2", "a4"]);
  expect(done.filter((one) => one.startsWith("b"))).toEqual(["b1", "b3"]);
});

test("a batch whose handler throws is tried again as a whole, and then dead-lettered", async () => {
  const outcomes: string[] = [];
  const over = Promise.withResolvers<void>();
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent }).use({
    name: "outcomes",
    on: { settled: ({ outcome, delivery }) => void (outcomes.push(`${outcome} ${delivery.attempt}`) === 3 && over.resolve()) },
  });
  await bus.publishMany(
    readings,
    [1, 2, 3].map((n) => ({ payload: { n } })),
  );
  await bus.subscribeBatch(readings, { maxWait: "5ms", retry: { attempts: 2, backoff: "1ms" } }, () => {
    throw new Error("down");
  });
  await over.promise;
  expect(outcomes).toEqual(["dead-letter 2", "dead-letter 2", "dead-letter 2"]);
});

test("a plugin that leaves an item out keeps it from the batch", async () => {
  const seen: number[] = [];
  const all = Promise.withResolvers<void>();
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent }).use({
    name: "odd only",
    consume: async (delivery, next) => ((delivery.payload as { n: number }).n % 2 === 1 ? next() : undefined),
  });
  await bus.publishMany(
    readings,
    [1, 2, 3, 4, 5].map((n) => ({ payload: { n } })),
  );
  await bus.subscribeBatch(readings, { maxWait: "5ms" }, ({ items }) => {
    seen.push(...items.map(({ payload }) => payload.n));
    if (seen.length === 3) all.resolve();
  });
  await all.promise;
  expect(seen.sort()).toEqual([1, 3, 5]);
});

test("options that contradict each other are refused with every reason", async () => {
  await using bus = createBus({ app: "batches", transport: memory(), logger: silent });
  const subscribed = bus.subscribeBatch(readings, { maxSize: 0, maxWait: "soon" as "1s" }, () => {});
  await expect(subscribed).rejects.toThrow(/maxSize.*maxWait/);
  await expect(subscribed).rejects.toMatchObject({ code: "WAYBILL_CONFIG_INVALID" });
});
