import { memory } from "@waybill/memory";
import { expect, test } from "vitest";
import { createBus, runUntilSignal, silent, topic, unchecked } from "./support.ts";

const jobs = topic("jobs", { schema: unchecked<{ n: number }>() });

test("a handler that does not come back is reported, and health says so until it does", async () => {
  const stuck = Promise.withResolvers<number>();
  await using bus = createBus({ app: "life", transport: memory(), logger: silent }).use({
    name: "s",
    on: { stuck: ({ ms }) => stuck.resolve(ms) },
  });
  const held = Promise.withResolvers<void>();
  const returned = Promise.withResolvers<void>();
  await bus.subscribe(jobs, { stuckAfter: "20ms" }, () => held.promise.then(() => setImmediate(returned.resolve)));
  await bus.publish(jobs, { n: 1 });
  expect(await stuck.promise).toBeGreaterThanOrEqual(20);
  expect(await bus.health()).toMatchObject({ status: "degraded", problems: [expect.stringMatching(/not come back/)] });
  held.resolve();
  await returned.promise;
  expect((await bus.health()).status).toBe("up");
});

test("closing waits for handlers, and what is published in them still goes out", async () => {
  const transport = memory();
  const bus = createBus({ app: "life", transport, logger: silent });
  const followUps = topic("follow-ups", { schema: unchecked<number>() });
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let published = false;
  await bus.subscribe(jobs, async ({ payload }) => {
    started.resolve();
    await go.promise;
    await bus.publish(followUps, payload.n);
    published = true;
  });
  await bus.publish(jobs, { n: 1 });
  await started.promise;
  const closing = bus.close();
  await expect(bus.publish(jobs, { n: 2 })).rejects.toMatchObject({ code: "WAYBILL_CLOSED" });
  go.resolve();
  await closing;
  expect(published).toBe(true);
  expect(bus.close()).toBe(bus.close());
});

test("a handler that outlives the drain is aborted, and closing says that it cut", async () => {
  const bus = createBus({ app: "life", transport: memory(), logger: silent });
  const started = Promise.withResolvers<AbortSignal>();
  await bus.subscribe(jobs, ({ signal }) => {
    started.resolve(signal);
    return new Promise(() => {});
  });
  await bus.publish(jobs, { n: 1 });
  const signal = await started.promise;
  await expect(bus.close({ timeout: "20ms" })).rejects.toMatchObject({ code: "WAYBILL_CLOSE_TIMEOUT" });
  expect(signal.aborted).toBe(true);
});

test("closing within a handler is refused, since it would wait for itself", async () => {
  await using bus = createBus({ app: "life", transport: memory(), logger: silent });
  const codes = Promise.withResolvers<unknown[]>();
  const subscription = await bus.subscribe(jobs, async () => {
    const results = await Promise.allSettled([bus.close(), subscription.close(), subscription.drain()]);
    codes.resolve(results.map((result) => (result.status === "rejected" ? result.reason.code : "closed")));
  });
  await bus.publish(jobs, { n: 1 });
  expect(await codes.promise).toEqual(Array(3).fill("WAYBILL_CLOSE_IN_HANDLER"));
});

test("a drained subscription starts nothing until it is resumed", async () => {
  await using bus = createBus({ app: "life", transport: memory(), logger: silent });
  const seen: number[] = [];
  const second = Promise.withResolvers<void>();
  const subscription = await bus.subscribe(jobs, ({ payload }) => {
    seen.push(payload.n);
    if (payload.n === 2) second.resolve();
  });
  await subscription.drain();
  await bus.publish(jobs, { n: 2 });
  expect(seen).toEqual([]);
  subscription.resume();
  await second.promise;
  expect(seen).toEqual([2]);
});

test("plugins after the first use are refused", () => {
  const bus = createBus({ app: "life", transport: memory(), logger: silent });
  const ready = bus.ready();
  expect(() => bus.use({ name: "late" })).toThrow(expect.objectContaining({ code: "WAYBILL_USED_LATE" }));
  return ready.then(() => bus.close());
});

test("the first signal drains the bus", async () => {
  const bus = createBus({ app: "life", transport: memory(), logger: silent });
  const subscription = await bus.subscribe(jobs, () => {});
  const running = runUntilSignal(bus, { signals: ["SIGUSR2"] });
  process.emit("SIGUSR2");
  await running;
  expect(await subscription.closed).toBeUndefined();
  expect(process.listenerCount("SIGUSR2")).toBe(0);
});

test("a handler that throws nothing, throws at once, or settles twice is handled like any other", async () => {
  const outcomes: string[] = [];
  const over = Promise.withResolvers<void>();
  await using bus = createBus({ app: "life", transport: memory(), logger: silent }).use({
    name: "outcomes",
    on: {
      settled: ({ delivery, outcome }) =>
        void (outcomes.push(`${(delivery.payload as { n: number }).n} ${outcome}`) === 3 && over.resolve()),
    },
  });
  await bus.subscribe(jobs, { retry: { attempts: 1 } }, ({ payload, ack, nack }) => {
    if (payload.n === 1) throw undefined;
    if (payload.n === 2) throw new Error("at once");
    ack();
    ack();
    nack(new Error("too late"));
  });
  await bus.publishMany(
    jobs,
    [1, 2, 3].map((n) => ({ payload: { n } })),
  );
  await over.promise;
  expect(outcomes.sort()).toEqual(["1 dead-letter", "2 dead-letter", "3 done"]);
});

test("plugins of the bus and of the subscription hear what happens to partitions, and of a pause", async () => {
  const heard: string[] = [];
  const gained = Promise.withResolvers<void>();
  const listener = (who: string) => ({
    name: who,
    on: {
      gained: ({ partition }: { partition: number }) => {
        heard.push(`${who} gained ${partition}`);
        if (who === "own") gained.resolve();
      },
      lost: ({ partition, why }: { partition: number; why: string }) => heard.push(`${who} lost ${partition} ${why}`),
      paused: () => heard.push(`${who} paused`),
      resumed: () => heard.push(`${who} resumed`),
    },
  });
  const bus = createBus({ app: "life", transport: memory(), logger: silent }).use(listener("bus"));
  const one = topic("one", { schema: unchecked<number>(), partitions: 1 });
  const subscription = await bus.subscribe(one, { use: [listener("own")] }, () => {});
  await gained.promise;
  expect(subscription.status).toBe("up");
  subscription.pause();
  subscription.resume();
  await bus.close();
  const expected = ["gained 0", "paused", "resumed", "lost 0 closed"].flatMap((what) => [`bus ${what}`, `own ${what}`]);
  expect(heard).toEqual(expected);
});
