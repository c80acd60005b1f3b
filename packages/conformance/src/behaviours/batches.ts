import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce, itemsOf, publishAll } from "../items.ts";
import type { Item } from "../lab.ts";

const KEYS = ["a", "b", "c"];
const EACH = 20;

export const batches: Behaviour = {
  name: "batches",
  checks: [
    {
      name: "every message comes in one batch, those of a key in their order, with several batches in flight",
      async run(lab) {
        const stream = lab.stream({ partitions: 2 });
        const bus = await lab.bus();
        const got: Item[] = [];
        const sizes: number[] = [];
        await bus.subscribeBatch(stream, { maxSize: 8, maxWait: "20ms", concurrency: 3 }, async ({ items }) => {
          sizes.push(items.length);
          got.push(...items.map(({ payload }) => payload));
        });
        await publishAll(bus, stream, itemsOf(KEYS, EACH));
        await arrivedOnce(lab, bus, stream, got, itemsOf(KEYS, EACH));
        assert.ok(Math.max(...sizes) <= 8, `a batch had ${Math.max(...sizes)} messages`);
        inOrder(got);
      },
    },
    {
      name: "an item that fails comes again before the later ones of its key, and the rest of its batch does not",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const done: Item[] = [];
        let failures = 0;
        const options = { maxSize: 6, maxWait: "50ms", retry: { backoff: "5ms" } } as const;
        await bus.subscribeBatch(stream, options, ({ items, fail }) => {
          let stopped = false;
          for (const item of items) {
            const { key, n } = item.payload;
            if (key === "a" && n === 1 && failures < 2) {
              failures++;
              stopped = true;
              fail(item, new Error("not yet"));
            } else if (key !== "a" || !stopped) done.push(item.payload);
          }
        });
        await publishAll(bus, stream, itemsOf(KEYS, 4));
        await arrivedOnce(lab, bus, stream, done, itemsOf(KEYS, 4));
        inOrder(done);
      },
    },
  ],
};

function inOrder(items: readonly Item[]): void {
  for (const key of KEYS) {
    const numbers = items.filter((item) => item.key === key && item.n >= 0).map(({ n }) => n);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `key ${key} is out of order`,
    );
  }
}
