import assert from "node:assert/strict";
import { type Bus, DeadLetter, type Delivery, topic } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll } from "../items.ts";
import type { Item, Lab, Stream } from "../lab.ts";

const KEYS = ["a", "b", "c"];

export const deadLetters: Behaviour = {
  name: "dead letters",
  checks: [
    {
      name: "a dead letter says what failed and why, and a replay brings the message to its group alone as it was",
      async run(lab) {
        const stream = lab.stream({ partitions: 2 });
        const bus = await lab.bus();
        const others: string[] = [];
        const again: Delivery[] = [];
        await bus.subscribe(stream, { group: "others" }, ({ id }) => others.push(id));
        await bus.subscribe(stream, { retry: { attempts: 2, backoff: "5ms" } }, (delivery) => {
          if (again.length === 0 && delivery.headers["waybill-replayed-at"] === undefined) throw new Error("declined");
          again.push(delivery);
        });
        const headers = { tenant: "größe", empty: "" };
        const { id } = await bus.publish(stream, { key: "k", n: 7 }, { headers, correlationId: "c-1" });
        const letters = bus.admin.deadLetters(stream, "conformance");
        await written(lab, bus, stream, 1);
        const [letter] = await all(letters.list());
        assert.equal(letter?.id, id);
        assert.equal(letter?.key, "k");
        assert.equal(letter?.attempts, 2);
        assert.match(letter?.error ?? "", /declined/);
        assert.deepEqual(letter?.headers, headers);
        assert.equal(Buffer.from(letter?.body ?? []).toString(), '{"key":"k","n":7}');
        assert.equal(await letters.replay({ dryRun: true }), 1);
        assert.equal(await letters.count(), 1);
        assert.equal(await letters.replay({ ids: [id] }), 1);
        await lab.until(
          () => again.length > 0,
          () => "the replayed message",
        );
        const { payload, key, correlationId, headers: got } = again[0] as Delivery<string, Item>;
        assert.deepEqual(
          { id: again[0]?.id, payload, key, correlationId },
          { id, payload: { key: "k", n: 7 }, key: "k", correlationId: "c-1" },
        );
        assert.deepEqual({ tenant: got.tenant, empty: got.empty }, headers);
        await written(lab, bus, stream, 0);
        assert.deepEqual(others, [id]);
      },
    },
    {
      name: "dead letters are listed oldest first, discarded by choice, and an unknown id is said to be unknown",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        await failAll(bus, stream);
        for (const item of itemsOf(["k"], 5)) await bus.publish(stream, item);
        await written(lab, bus, stream, 5);
        const letters = bus.admin.deadLetters(stream, "conformance");
        const numberOf = ({ body }: { readonly body: Uint8Array }) => (JSON.parse(Buffer.from(body).toString()) as Item).n;
        assert.deepEqual((await all(letters.list())).map(numberOf), [0, 1, 2, 3, 4]);
        assert.deepEqual((await all(letters.list({ limit: 2 }))).map(numberOf), [0, 1]);
        assert.equal(await letters.discard({ where: (letter) => numberOf(letter) % 2 === 1 }), 2);
        await written(lab, bus, stream, 3);
        // A queue may have put behind the rest what was listed in part.
        assert.deepEqual((await all(letters.list())).map(numberOf).toSorted(), [0, 2, 4]);
        await assert.rejects(letters.discard({ ids: ["nothing"] }), { code: "WAYBILL_DEAD_LETTER_NOT_FOUND" });
        assert.equal(await letters.discard(), 3);
        await written(lab, bus, stream, 0);
      },
    },
    {
      name: "a replay beside newer messages of its key runs one handler of the key at a time",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const failing = await failAll(bus, stream);
        await publishAll(bus, stream, itemsOf(KEYS, 10));
        await written(lab, bus, stream, 30);
        await failing.close();
        const got: Item[] = [];
        const running = new Set<string>();
        const overlaps: Item[] = [];
        await bus.subscribe(stream, { concurrency: 20 }, async ({ payload }) => {
          if (running.has(payload.key)) overlaps.push(payload);
          running.add(payload.key);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running.delete(payload.key);
          got.push(payload);
        });
        const newer = publishAll(bus, stream, itemsOf(KEYS, 20, 10));
        assert.equal(await bus.admin.deadLetters(stream, "conformance").replay(), 30);
        await newer;
        await arrived(lab, got, itemsOf(KEYS, 30));
        assert.deepEqual(overlaps, []);
      },
    },
    {
      name: "a dead letter that cannot be written, since the broker is gone, is written when that is back",
      needs: ["broker"],
      async run(lab) {
        const broker = await lab.ownBroker();
        const bus = await lab.bus({ transport: await broker.transport() });
        const stream = topic(lab.name(), { partitions: 1, key: ({ payload }) => (payload as Item).key });
        let stopped = false;
        await bus.subscribe(stream, { retry: { attempts: 1 } }, async () => {
          if (!stopped) await broker.stop();
          stopped = true;
          throw new DeadLetter("no use");
        });
        const { id } = await bus.publish(stream, { key: "k", n: 0 });
        await lab.until(
          () => stopped,
          () => "the broker to be stopped",
        );
        await broker.start();
        const letters = bus.admin.deadLetters(stream, "conformance");
        await lab.until(
          async () => (await letters.count().catch(() => 0)) > 0,
          () => "the dead letter",
        );
        assert.equal((await all(letters.list()))[0]?.id, id);
      },
    },
  ],
};

async function failAll(bus: Bus, stream: Stream) {
  return bus.subscribe(stream, () => {
    throw new DeadLetter("no use");
  });
}

/** Waits until the group has so many dead letters. */
async function written(lab: Lab, bus: Bus, stream: Stream, count: number): Promise<void> {
  let found = -1;
  await lab.until(
    async () => {
      found = await bus.admin.deadLetters(stream, "conformance").count();
      return found === count;
    },
    () => `${count} dead letters, not ${found}`,
  );
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of source) list.push(one);
  return list;
}
