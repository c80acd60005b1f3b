import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll, range } from "../items.ts";
import type { Item } from "../lab.ts";

const CONCURRENCY = 6;

export const concurrency: Behaviour = {
  name: "concurrency",
  checks: [
    {
      name: "different keys of one partition are handled at the same time, never more than `concurrency`",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const gate = lab.gate();
        const done: Item[] = [];
        let [running, most] = [0, 0];
        await bus.subscribe(stream, { concurrency: CONCURRENCY }, async ({ payload }) => {
          most = Math.max(most, ++running);
          await gate.opened;
          running--;
          done.push(payload);
        });
        const items = itemsOf(
          range(4 * CONCURRENCY).map((i) => `key-${i}`),
          2,
        );
        await publishAll(bus, stream, items);
        await lab.until(
          () => running === CONCURRENCY,
          () => `${CONCURRENCY} handlers at once, not ${running}`,
        );
        gate.open();
        await arrived(lab, done, items);
        assert.equal(most, CONCURRENCY);
      },
    },
  ],
};
