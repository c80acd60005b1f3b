import { memory } from "@waybill/memory";
import { expect, test } from "vitest";
import { createBus, silent, topic, unchecked } from "./support.ts";

const jobs = topic("jobs", { schema: unchecked<{ n: number }>(), partitions: 1, key: () => "one" });

async function busWith(count: number) {
  const bus = createBus({ app: "pulls", transport: memory(), logger: silent });
  await bus.publishMany(
    jobs,
    Array.from({ length: count }, (_, n) => ({ payload: { n } })),
  );
  return bus;
}

test("deliveries are received one at a time and settled by ack", async () => {
  await using bus = await busWith(3);
  const puller = await bus.pull(jobs);
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) {
    const delivery = await puller.receive({ timeout: "5s" });
    seen.push(delivery?.payload.n ?? -1);
    delivery?.ack();
  }
  expect(seen).toEqual([0, 1, 2]);
});

test("receive waits while a delivery is unsettled, and gives nothing after its timeout", async () => {
  await using bus = await busWith(2);
  const puller = await bus.pull(jobs);
  const first = await puller.receive({ timeout: "5s" });
  expect(await puller.receive({ timeout: "30ms" })).toBeUndefined();
  first?.ack();
  const second = await puller.receive({ timeout: "5s" });
  expect(second?.payload.n).toBe(1);
  second?.ack();
});

test("nack brings the same delivery again, counted", async () => {
  await using bus = await busWith(1);
  const puller = await bus.pull(jobs, { retry: { backoff: "1ms" } });
  const first = await puller.receive({ timeout: "5s" });
  first?.nack(new Error("not yet"));
  const second = await puller.receive({ timeout: "5s" });
  expect([second?.id, second?.attempt]).toEqual([first?.id, 2]);
  second?.ack();
});

test("an iteration that is left early loses nothing", async () => {
  const transport = memory();
  await using bus = createBus({ app: "pulls", transport, logger: silent });
  await bus.publishMany(
    jobs,
    Array.from({ length: 4 }, (_, n) => ({ payload: { n } })),
  );
  const seen: number[] = [];
  {
    await using puller = await bus.pull(jobs);
    for await (const { payload, ack } of puller) {
      seen.push(payload.n);
      ack();
      if (payload.n === 1) break;
    }
  }
  await using puller = await bus.pull(jobs);
  for await (const { payload, ack } of puller) {
    seen.push(payload.n);
    ack();
    if (payload.n === 3) break;
  }
  expect(seen).toEqual([0, 1, 2, 3]);
});

test("a receive that is aborted rejects with the signal's reason, and its message goes to the next", async () => {
  await using bus = createBus({ app: "pulls", transport: memory(), logger: silent });
  const puller = await bus.pull(jobs);
  const stop = new AbortController();
  const aborted = puller.receive({ signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  await bus.publish(jobs, { n: 7 });
  const delivery = await puller.receive({ timeout: "5s" });
  expect(delivery?.payload.n).toBe(7);
  delivery?.ack();
});

test("closing ends a waiting receive with nothing, and refuses later ones", async () => {
  await using bus = await busWith(0);
  const puller = await bus.pull(jobs);
  const waiting = puller.receive();
  await puller.close();
  expect(await waiting).toBeUndefined();
  await expect(puller.receive()).rejects.toMatchObject({ code: "WAYBILL_CLOSED" });
});
