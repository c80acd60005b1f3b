import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce, itemsOf, publishAll, range } from "../items.ts";
import type { Item } from "../lab.ts";

const TOPICS = 5;
const PUBLISHERS = 3;
const KEYS = 8;
const EACH = 8;

export const everyMessageOnce: Behaviour = {
  name: "every message once",
  checks: [
    {
      name: "with many topics and many concurrent publishers, every message arrives, once",
      async run(lab) {
        const bus = await lab.bus();
        const streams = range(TOPICS).map(() => ({ stream: lab.stream(), got: [] as Item[] }));
        await Promise.all(streams.map(({ stream, got }) => bus.subscribe(stream, ({ payload }) => got.push(payload))));
        const work = await Promise.all(
          range(PUBLISHERS).map(async (publisher) => ({
            publisher: await lab.bus(),
            items: itemsOf(
              range(KEYS).map((i) => `publisher-${publisher}-key-${i}`),
              EACH,
            ),
          })),
        );
        await Promise.all(
          work.flatMap(({ publisher, items }) => streams.map(({ stream }) => publishAll(publisher, stream, items))),
        );
        const expected = work.flatMap(({ items }) => items);
        await Promise.all(streams.map(({ stream, got }) => arrivedOnce(lab, bus, stream, got, expected)));
      },
    },
    {
      name: "a thousand messages of one publisher arrive, once each, in the order of the calls for each key",
      async run(lab) {
        const stream = lab.stream();
        const [publisher, bus] = [await lab.bus(), await lab.bus()];
        const got: Item[] = [];
        await bus.subscribe(stream, { concurrency: 50 }, ({ payload }) => got.push(payload));
        const items = itemsOf(
          range(20).map((i) => `key-${i}`),
          50,
        );
        await publishAll(publisher, stream, items);
        await arrivedOnce(lab, publisher, stream, got, items);
      },
    },
  ],
};
