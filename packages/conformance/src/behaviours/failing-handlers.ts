import assert from "node:assert/strict";
import { type BusEvents, type Codec, DeadLetter, json, topic, unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, arrivedOnce, itemsOf, label, publishAll } from "../items.ts";
import type { Item, Lab } from "../lab.ts";

const SOON = { attempts: 3, backoff: "5ms" } as const;

/** What one program encodes and another cannot decode. */
const broken: Codec = { ...json, encode: () => Buffer.from("{") };

export const failingHandlers: Behaviour = {
  name: "failing handlers",
  checks: [
    {
      name: "a message whose handler fails is tried again in place: its key waits, other keys go on",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const done: Item[] = [];
        const attempts: number[] = [];
        await bus.subscribe(stream, { retry: { attempts: 1_000, backoff: "5ms" } }, ({ payload, attempt }) => {
          if (payload.key === "bad" && payload.n === 0) {
            attempts.push(attempt);
            // Ends only if the other key does not wait for this one.
            if (attempt < 3 || done.length < 5) throw new Error("not yet");
          }
          done.push(payload);
        });
        await publishAll(bus, stream, itemsOf(["bad", "good"], 5));
        await arrivedOnce(lab, bus, stream, done, itemsOf(["bad", "good"], 5));
        assert.deepEqual(
          attempts,
          attempts.map((_, i) => i + 1),
          "attempts are not counted one by one",
        );
        const bad = done.filter(({ key, n }) => key === "bad" && n >= 0).map(({ n }) => n);
        assert.deepEqual(bad, [0, 1, 2, 3, 4], "messages passed the one that failed");
      },
    },
    {
      name: "a message that fails every attempt is dead-lettered, does not come again, and its key goes on",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const { bus, settled } = await watchedBus(lab);
        const started: string[] = [];
        const subscription = await bus.subscribe(stream, { retry: SOON }, ({ payload }) => {
          started.push(label(payload));
          if (payload.n === 1) throw new Error("never");
        });
        await publishAll(bus, stream, itemsOf(["k"], 3));
        await lab.until(
          () => settled.length >= 3,
          () => `three messages to be settled, not ${settled.length}`,
        );
        assert.deepEqual(started, ["k#0", "k#1", "k#1", "k#1", "k#2"]);
        assert.deepEqual(settled, ["k#0 done", "k#1 dead-letter", "k#2 done"]);
        await subscription.close();
        const again: Item[] = [];
        await bus.subscribe(stream, ({ payload }) => again.push(payload));
        await arrivedOnce(lab, bus, stream, again, []);
      },
    },
    {
      name: "a handler that throws DeadLetter is not called again",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const { bus, settled } = await watchedBus(lab);
        const started: Item[] = [];
        await bus.subscribe(stream, { retry: SOON }, ({ payload }) => {
          started.push(payload);
          if (payload.n === 0) throw new DeadLetter("no use");
        });
        await publishAll(bus, stream, itemsOf(["k"], 2));
        await arrivedOnce(lab, bus, stream, started, itemsOf(["k"], 2));
        assert.deepEqual(settled.slice(0, 2), ["k#0 dead-letter", "k#1 done"]);
      },
    },
    {
      name: "handlers that throw nothing, throw at once, settle twice or fail after they settled are handled like any other",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const { bus, settled } = await watchedBus(lab);
        await bus.subscribe(stream, { retry: { attempts: 1 } }, ({ payload, ack, nack }) => {
          if (payload.n === 0) return Promise.reject(undefined);
          if (payload.n === 1) throw new Error("at once");
          if (payload.n === 2) nack(new Error("by hand"));
          ack();
          nack(new Error("too late"));
          if (payload.n === 4) throw new Error("too late as well");
          return undefined;
        });
        await publishAll(bus, stream, itemsOf(["k"], 5));
        await lab.until(
          () => settled.length >= 5,
          () => `five messages to be settled, not ${settled.length}`,
        );
        const ends = ["dead-letter", "dead-letter", "dead-letter", "done", "done"];
        assert.deepEqual(
          settled,
          ends.map((end, n) => `k#${n} ${end}`),
        );
      },
    },
    {
      name: "what cannot be decoded is dead-lettered at once, and those behind it are handled",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const unreadable = topic(stream.name, { partitions: 1, codec: broken, schema: unchecked<Item>(), key: () => "k" });
        const [{ bus, settled }, stranger] = [await watchedBus(lab), await lab.bus()];
        const got: Item[] = [];
        await bus.subscribe(stream, ({ payload }) => got.push(payload));
        await stranger.publish(unreadable, { key: "k", n: 0 });
        await bus.publish(stream, { key: "k", n: 1 });
        await arrived(lab, got, [{ key: "k", n: 1 }]);
        await lab.until(
          () => settled.length >= 2,
          () => "both to be settled",
        );
        assert.ok(settled[0]?.endsWith("dead-letter"), `it was ${settled[0]}`);
        assert.deepEqual(got, [{ key: "k", n: 1 }]);
      },
    },
  ],
};

/** A bus that notes how deliveries ended. */
async function watchedBus(lab: Lab) {
  const bus = await lab.bus();
  const settled: string[] = [];
  const note = ({ delivery, outcome }: BusEvents["settled"]) => {
    const { key, n } = (delivery.payload ?? {}) as Partial<Item>;
    settled.push(`${key}#${n} ${outcome}`);
  };
  bus.use({ name: "conformance", on: { settled: note } });
  return { bus, settled };
}
