import assert from "node:assert/strict";
import { setTimeout as work } from "node:timers/promises";
import type { Bus } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll, range } from "../items.ts";
import { Journal } from "../journal.ts";
import type { Lab, Stream } from "../lab.ts";

const KEYS = range(12).map((i) => `key-${i}`);
/** Milliseconds: long enough for a second owner to be caught while the first still works. */
const HANDLING = 10;
const ROUNDS = 5_000;
/** What a member has handled when it is well in. */
const SHARE = 50;

export const order: Behaviour = {
  name: "order",
  checks: [
    {
      name: "one member handles the messages of a key one at a time, in the order of the calls",
      async run(lab) {
        const stream = lab.stream();
        const journal = new Journal();
        const publisher = await lab.bus();
        await join(lab, stream, journal, "only");
        const items = itemsOf(KEYS, 25);
        await publishAll(publisher, stream, items);
        await arrived(lab, journal.items, items);
        assert.deepEqual(journal.violations, []);
      },
    },
    {
      name: "while members join and leave, a key is in one handler at a time, and in order",
      async run(lab) {
        const stream = lab.stream({ partitions: 6 });
        const journal = new Journal();
        const publisher = await lab.bus();
        const first = await join(lab, stream, journal, "first");
        const load = keepPublishing(publisher, stream);
        try {
          const second = await join(lab, stream, journal, "second");
          await handles(lab, journal, "second");
          await join(lab, stream, journal, "third");
          await first.close();
          await handles(lab, journal, "third");
          await second.close();
          await join(lab, stream, journal, "fourth");
          await handles(lab, journal, "fourth");
        } finally {
          load.stop();
        }
        const rounds = await load.rounds;
        await arrived(lab, journal.items, itemsOf(KEYS, rounds));
        assert.deepEqual(journal.violations, []);
      },
    },
  ],
};

async function join(lab: Lab, stream: Stream, journal: Journal, name: string): Promise<Bus> {
  const bus = await lab.bus();
  await bus.subscribe(stream, { concurrency: KEYS.length }, ({ payload }) => journal.handle(name, payload, () => work(HANDLING)));
  return bus;
}

const handles = (lab: Lab, journal: Journal, name: string) =>
  lab.until(
    () => journal.of(name).length > SHARE,
    () => `the ${name} member to get a share of the partitions`,
  );

/** Publishes the next message of every key, over and over, so fast that their handlers are hardly ever idle, until it is stopped. */
function keepPublishing(publisher: Bus, stream: Stream): { readonly rounds: Promise<number>; stop(): void } {
  const stopping = new AbortController();
  const publish = async () => {
    let round = 0;
    for (; !stopping.signal.aborted && round < ROUNDS; round++) {
      await Promise.all([publishAll(publisher, stream, itemsOf(KEYS, 1, round)), work(HANDLING)]);
    }
    return round;
  };
  return { rounds: publish(), stop: () => stopping.abort() };
}
