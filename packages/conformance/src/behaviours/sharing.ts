import type { Behaviour } from "../behaviour.ts";
import { arrived, arrivedOnce, itemsOf, keyPerPartition, publishAll } from "../items.ts";
import { Journal } from "../journal.ts";
import type { Item, Lab, Stream } from "../lab.ts";

export const sharing: Behaviour = {
  name: "sharing",
  checks: [
    {
      name: "members of a group share its partitions, and none of its messages is handled twice",
      async run(lab) {
        const stream = lab.stream({ partitions: 4 });
        const keys = keyPerPartition(stream);
        const publisher = await lab.bus();
        const journal = new Journal();
        await join(lab, stream, journal, "first");
        await join(lab, stream, journal, "second");
        let rounds = 0;
        const bothWork = async () => {
          const probes = itemsOf(keys, 1, rounds++);
          await publishAll(publisher, stream, probes);
          await arrived(lab, journal.items, probes);
          return [...journal.members.values()].every(({ length }) => length > 0);
        };
        await lab.until(bothWork, () => "both members to get a share");
        await arrivedOnce(lab, publisher, stream, journal.items, itemsOf(keys, rounds));
      },
    },
    {
      name: "nothing is handled twice or lost when members join and leave in order",
      async run(lab) {
        const stream = lab.stream({ partitions: 4 });
        const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
        const publisher = await lab.bus();
        const journal = new Journal();
        let rounds = 0;
        const publish = async () => {
          const items = itemsOf(keys, 1, rounds++);
          await publishAll(publisher, stream, items);
          return items;
        };
        const first = await join(lab, stream, journal, "first");
        await arrived(lab, journal.items, await publish());
        const joining = join(lab, stream, journal, "second");
        const hasJoined = async () => {
          await publish();
          return journal.of("second").length > 0;
        };
        await lab.until(hasJoined, () => "the second member to get a share");
        await joining;
        const leaving = first.close();
        await publish();
        await leaving;
        await publish();
        await arrivedOnce(lab, publisher, stream, journal.items, itemsOf(keys, rounds));
      },
    },
    {
      name: "a topic without keys gives every message to one member of the group",
      async run(lab) {
        const stream = lab.keyless({ partitions: 2 });
        const publisher = await lab.bus();
        const got: Item[] = [];
        for (const bus of [await lab.bus(), await lab.bus()]) await bus.subscribe(stream, ({ payload }) => got.push(payload));
        const items = itemsOf(["a", "b", "c", "d"], 25);
        await publishAll(publisher, stream, items);
        await arrivedOnce(lab, publisher, stream, got, items);
      },
    },
  ],
};

async function join(lab: Lab, stream: Stream, journal: Journal, name: string) {
  const bus = await lab.bus();
  journal.of(name);
  await bus.subscribe(stream, { group: "shared" }, ({ payload }) => journal.handle(name, payload));
  return bus;
}
