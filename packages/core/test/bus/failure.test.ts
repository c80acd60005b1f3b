import { memory } from "@waybill/memory";
import { expect, test } from "vitest";
import { createBus, RetryLater, silent, topic, unchecked } from "./support.ts";

const orders = topic("orders", {
  schema: unchecked<{ key: string; n: number }>(),
  key: ({ payload }) => payload.key,
  partitions: 1,
});
const jobs = topic("jobs", { schema: unchecked<{ n: number }>(), partitions: 1 });

test("a blocked key waits with its later messages until it is released, and other keys go on", async () => {
  const blocked = Promise.withResolvers<void>();
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent }).use({
    name: "blocked",
    on: { blocked: () => blocked.resolve() },
  });
  const seen: string[] = [];
  const others = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  let broken = true;
  await bus.publishMany(
    orders,
    ["a", "b", "a", "b", "b"].map((key, n) => ({ payload: { key, n } })),
  );
  const subscription = await bus.subscribe(
    orders,
    { onFailure: "block", retry: { attempts: 2, backoff: "1ms" } },
    ({ payload }) => {
      if (payload.n === 0 && broken) throw new Error("no");
      seen.push(`${payload.key}${payload.n}`);
      if (seen.length === 3) others.resolve();
      if (seen.length === 5) all.resolve();
    },
  );
  await Promise.all([blocked.promise, others.promise]);
  expect(seen).toEqual(["b1", "b3", "b4"]);
  expect((await bus.health()).status).toBe("down");
  expect(subscription.blocked.map(({ delivery }) => delivery.payload)).toEqual([{ key: "a", n: 0 }]);
  expect(subscription.release("no such id")).toBe(false);
  broken = false;
  expect(subscription.release(subscription.blocked[0]?.delivery.id ?? "")).toBe(true);
  await all.promise;
  expect(seen.slice(3)).toEqual(["a0", "a2"]);
  expect((await bus.health()).status).toBe("up");
});

test("a blocked message can be skipped", async () => {
  const blocked = Promise.withResolvers<void>();
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent }).use({
    name: "blocked",
    on: { blocked: () => blocked.resolve() },
  });
  const next = Promise.withResolvers<number>();
  await bus.publishMany(
    orders,
    [0, 1].map((n) => ({ payload: { key: "a", n } })),
  );
  const subscription = await bus.subscribe(orders, { onFailure: "block", retry: { attempts: 1 } }, ({ payload }) => {
    if (payload.n === 0) throw new Error("no");
    next.resolve(payload.n);
  });
  await blocked.promise;
  subscription.release(subscription.blocked[0]?.delivery.id ?? "", "skip");
  expect(await next.promise).toBe(1);
});

test("a blocked message comes again to who takes over", async () => {
  const transport = memory();
  const blocked = Promise.withResolvers<void>();
  const first = createBus({ app: "failures", transport, logger: silent }).use({
    name: "b",
    on: { blocked: () => blocked.resolve() },
  });
  await first.publish(orders, { key: "a", n: 0 });
  await first.subscribe(orders, { onFailure: "block", retry: { attempts: 1 } }, () => {
    throw new Error("no");
  });
  await blocked.promise;
  await first.close();
  await using second = createBus({ app: "failures", transport, logger: silent });
  const again = Promise.withResolvers<number>();
  await second.subscribe(orders, ({ payload }) => again.resolve(payload.n));
  expect(await again.promise).toBe(0);
});

test("a stopped partition starts nothing more", async () => {
  const stopped = Promise.withResolvers<void>();
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent }).use({
    name: "b",
    on: { blocked: () => stopped.resolve() },
  });
  const seen: number[] = [];
  await bus.publishMany(
    orders,
    [0, 1, 2].map((n) => ({ payload: { key: String(n), n } })),
  );
  await bus.subscribe(orders, { onFailure: "stop", concurrency: 1, retry: { attempts: 1 } }, ({ payload }) => {
    seen.push(payload.n);
    if (payload.n === 1) throw new Error("no");
  });
  await stopped.promise;
  await bus.publish(orders, { key: "9", n: 9 });
  const health = await bus.health();
  expect(health.status).toBe("down");
  expect(health.problems[0]).toMatch(/failed for good/);
  expect(seen).toEqual([0, 1]);
});

test("a message goes through a delayed destination, counted, and frees its key meanwhile", async () => {
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent });
  const calls: { attempt: number; at: number }[] = [];
  const over = Promise.withResolvers<void>();
  await bus.subscribe(jobs, { retry: { attempts: 1, later: ["1s"] } }, ({ attempt }) => {
    calls.push({ attempt, at: Date.now() });
    if (attempt === 1) throw new Error("not yet");
    over.resolve();
  });
  await bus.publish(jobs, { n: 1 });
  await over.promise;
  expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test("RetryLater on a keyed topic waits in place, before the later messages of its key", async () => {
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent });
  const seen: string[] = [];
  const over = Promise.withResolvers<void>();
  await bus.publishMany(
    orders,
    [0, 1].map((n) => ({ payload: { key: "a", n } })),
  );
  await bus.subscribe(orders, ({ payload, attempt }) => {
    seen.push(`${payload.n}:${attempt}`);
    if (seen.length === 1) throw new RetryLater({ after: "10ms", counts: false });
    if (payload.n === 1) over.resolve();
  });
  await over.promise;
  expect(seen).toEqual(["0:1", "0:1", "1:1"]);
});

test.each([
  [{ retry: { later: ["1m"] } }, /later.*order "none"/],
  [{ concurrency: 0 }, /concurrency/],
  [{ retry: { attempts: 0.5 } }, /attempts/],
  [{ order: "none", onFailure: "block" }, /block.*order "key"/],
  [{ order: "none", retry: { later: ["10m", "1m"] } }, /does not grow/],
] as const)("the contradiction in %j is refused", async (options, reason) => {
  await using bus = createBus({ app: "failures", transport: memory(), logger: silent });
  await expect(bus.subscribe(orders, options as object, () => {})).rejects.toThrow(reason);
});
