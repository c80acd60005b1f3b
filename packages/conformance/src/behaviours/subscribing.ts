import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { arrived, arrivedOnce, itemsOf, keyPerPartition, publishAll, range } from "../items.ts";
import type { Item, Lab } from "../lab.ts";

const ROUNDS = 4;

export const subscribing: Behaviour = {
  name: "subscribing",
  checks: [
    {
      name: "nothing published after `subscribe` has resolved is missed",
      run: (lab) => publishAtOnce(lab, "earliest"),
    },
    {
      name: 'with from: "latest", a new group gets all that is published after `subscribe` has resolved, and nothing before',
      run: (lab) => publishAtOnce(lab, "latest"),
    },
    {
      name: "a group goes on where it was when it subscribes again, in the same process or another",
      async run(lab) {
        const stream = lab.stream();
        const [bus, other] = [await lab.bus(), await lab.bus()];
        const keys = ["a", "b", "c", "d"];
        const got: Item[] = [];
        const subscribe = (to: typeof bus) => to.subscribe(stream, ({ payload }) => got.push(payload));
        for (const [round, member] of [bus, bus, other].entries()) {
          const subscription = await subscribe(member);
          await arrivedOnce(lab, other, stream, got, itemsOf(keys, 10 * round));
          await publishAll(other, stream, itemsOf(keys, 5, 10 * round));
          await arrivedOnce(lab, other, stream, got, itemsOf(keys, 10 * round + 5));
          await subscription.close();
          await publishAll(other, stream, itemsOf(keys, 5, 10 * round + 5));
        }
        await subscribe(bus);
        await arrivedOnce(lab, other, stream, got, itemsOf(keys, 30));
      },
    },
    {
      name: "a paused subscription gets nothing, then everything",
      async run(lab) {
        const stream = lab.stream();
        const bus = await lab.bus();
        const [paused, running]: [Item[], Item[]] = [[], []];
        const subscription = await bus.subscribe(stream, { group: "paused" }, ({ payload }) => paused.push(payload));
        await bus.subscribe(stream, { group: "running" }, ({ payload }) => running.push(payload));
        subscription.pause();
        const items = itemsOf(["a", "b", "c"], 10);
        await publishAll(bus, stream, items);
        await arrivedOnce(lab, bus, stream, running, items);
        assert.deepEqual(paused, [], "messages came to a paused subscription");
        subscription.resume();
        await arrivedOnce(lab, bus, stream, paused, items);
      },
    },
    {
      name: "a new group begins with the first message that the log keeps",
      needs: ["log"],
      async run(lab) {
        const stream = lab.stream();
        const bus = await lab.bus();
        const items = itemsOf(["a", "b", "c"], 10);
        const [first, second]: [Item[], Item[]] = [[], []];
        await publishAll(bus, stream, items);
        await bus.subscribe(stream, { group: "first" }, ({ payload }) => first.push(payload));
        await arrivedOnce(lab, bus, stream, first, items);
        await bus.subscribe(stream, { group: "second" }, ({ payload }) => second.push(payload));
        await arrivedOnce(lab, bus, stream, second, items);
      },
    },
  ],
};

async function publishAtOnce(lab: Lab, from: "earliest" | "latest"): Promise<void> {
  const stream = lab.stream({ groups: ["warm"] });
  const publisher = await lab.bus();
  const keys = keyPerPartition(stream);
  await publishAll(publisher, stream, itemsOf(keys, 1));
  for (const round of range(ROUNDS)) {
    const bus = await lab.bus();
    const got: Item[] = [];
    await bus.subscribe(stream, { group: `round-${round}`, from }, ({ payload }) => got.push(payload));
    const items = itemsOf(keys, 1, round + 1);
    await publishAll(publisher, stream, items);
    if (from === "latest") await arrivedOnce(lab, publisher, stream, got, items);
    else await arrived(lab, got, items);
  }
}
