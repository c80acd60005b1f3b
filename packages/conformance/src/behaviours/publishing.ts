import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { topic, unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, arrivedOnce, itemsOf, publishAll, range } from "../items.ts";
import { Journal } from "../journal.ts";
import type { Item } from "../lab.ts";

const CHAIN = 20;

export const publishing: Behaviour = {
  name: "publishing",
  checks: [
    {
      name: "a handler that publishes to the topic it consumes, at concurrency 1, does not lock up",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const got: Item[] = [];
        await bus.subscribe(stream, { concurrency: 1 }, async ({ payload }) => {
          got.push(payload);
          if (payload.n >= 0 && payload.n < CHAIN) await bus.publish(stream, { key: payload.key, n: payload.n + 1 });
        });
        await bus.publish(stream, { key: "chain", n: 0 });
        await arrivedOnce(lab, bus, stream, got, itemsOf(["chain"], CHAIN + 1));
      },
    },
    {
      name: "asynchronous validation does not reorder publishes",
      async run(lab) {
        const { "~standard": standard } = unchecked<Item>();
        const slow = {
          "~standard": {
            ...standard,
            // The earlier of two takes longer.
            validate: async (value: unknown) => {
              await delay(4 * (3 - ((value as Item).n % 4)));
              return { value: value as Item };
            },
          },
        };
        const stream = topic(lab.name(), { schema: slow, key: ({ payload }) => payload.key });
        const bus = await lab.bus();
        const journal = new Journal();
        await bus.subscribe(stream, ({ payload }) => journal.handle("only", payload));
        const items = itemsOf(["a", "b"], 24);
        await publishAll(bus, stream, items);
        await arrived(lab, journal.items, items);
        assert.deepEqual(journal.violations, []);
      },
    },
    {
      name: "publishMany keeps the order of the array",
      async run(lab) {
        const stream = lab.stream();
        const bus = await lab.bus();
        const journal = new Journal();
        await bus.subscribe(stream, ({ payload }) => journal.handle("only", payload));
        const batches = range(4).map((i) => itemsOf(["a", "b", "c"], 20, 20 * i));
        const receipts = await Promise.all(
          batches.map((items) =>
            bus.publishMany(
              stream,
              items.map((payload) => ({ payload })),
            ),
          ),
        );
        assert.deepEqual(
          receipts.map(({ length }) => length),
          batches.map(({ length }) => length),
        );
        await arrivedOnce(lab, bus, stream, journal.items, batches.flat());
        assert.deepEqual(
          journal.violations.filter((violation) => !violation.includes("#-1")),
          [],
        );
      },
    },
  ],
};
