import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce, itemsOf, publishAll, range } from "../items.ts";
import type { Item } from "../lab.ts";

export const names: Behaviour = {
  name: "names",
  checks: [
    {
      name: "topics and groups with confusable names stay apart",
      async run(lab) {
        const base = lab.name("a");
        const streams = [base, `${base}b`, `${base}-b`, `${base}.b`, `${base}.b.c`].map((name) =>
          lab.stream({ name, partitions: 2 }),
        );
        const bus = await lab.bus();
        const boxes = await Promise.all(
          streams.flatMap((stream, i) =>
            ["b", "B", "b-c"].map(async (group) => {
              const got: Item[] = [];
              await bus.subscribe(stream, { group }, ({ payload }) => got.push(payload));
              return { stream, got, expected: itemsOf([`of-topic-${i}`, `also-of-topic-${i}`], 5) };
            }),
          ),
        );
        await Promise.all(
          streams.map((stream, i) => publishAll(bus, stream, itemsOf([`of-topic-${i}`, `also-of-topic-${i}`], 5))),
        );
        for (const { stream, got, expected } of boxes) await arrivedOnce(lab, bus, stream, got, expected);
      },
    },
    {
      name: "buses with different prefixes stay apart, and handlers do not see the prefix",
      async run(lab) {
        const stream = lab.stream({ partitions: 2 });
        const boxes = await Promise.all(
          ["red.", "blue."].map(async (prefix) => {
            lab.topics.push(prefix + stream.name);
            const bus = await lab.bus({ prefix });
            const got: Item[] = [];
            const seen = new Set<string>();
            await bus.subscribe(stream, ({ payload, topic }) => {
              got.push(payload);
              seen.add(topic);
            });
            return { bus, got, seen, items: itemsOf([prefix], 5) };
          }),
        );
        for (const { bus, items } of boxes) await publishAll(bus, stream, items);
        for (const { bus, got, seen, items } of boxes) {
          await arrivedOnce(lab, bus, stream, got, items);
          assert.deepEqual([...seen], [stream.name]);
        }
      },
    },
    {
      name: "one group on two topics, in one process and in two, gets all of both",
      async run(lab) {
        const streams = range(2).map(() => lab.stream({ partitions: 2 }));
        const [both, one, two] = [await lab.bus(), await lab.bus(), await lab.bus()];
        const boxes = await Promise.all(
          streams.flatMap((stream, i) =>
            ["in-one-process", "in-two"].map(async (group) => {
              const got: Item[] = [];
              const bus = group === "in-one-process" ? both : i === 0 ? one : two;
              await bus.subscribe(stream, { group }, ({ payload }) => got.push(payload));
              return { stream, got };
            }),
          ),
        );
        const items = itemsOf(["a", "b", "c"], 10);
        for (const stream of streams) await publishAll(both, stream, items);
        for (const { stream, got } of boxes) await arrivedOnce(lab, both, stream, got, items);
      },
    },
  ],
};
