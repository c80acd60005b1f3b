import assert from "node:assert/strict";
import type { Bus } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll } from "../items.ts";
import { Journal } from "../journal.ts";
import type { Item, Lab, Stream } from "../lab.ts";

const KEYS = ["a", "b", "c", "d", "e", "f"];
const EACH = 5;

export const vanishing: Behaviour = {
  name: "vanishing",
  checks: [
    {
      name: "what a member had not settled when it vanished comes to the one that replaces it, in order",
      async run(lab) {
        const stream = lab.stream();
        const publisher = await lab.bus();
        const { journal, severed } = await stuckAtSecond(lab, stream);
        await publishAll(publisher, stream, itemsOf(KEYS, EACH));
        await lab.until(
          () => journal.items.length >= 2 * KEYS.length,
          () => "the member to be stuck",
        );
        lab.sever(severed);
        const rest = await replace(lab, stream);
        await arrived(lab, rest, itemsOf(KEYS, EACH - 1, 1));
        inOrder(rest);
      },
    },
    {
      name: "a member that is there already takes over from one that vanished, in order",
      async run(lab) {
        const stream = lab.stream();
        const publisher = await lab.bus();
        const { journal, severed } = await stuckAtSecond(lab, stream);
        await publishAll(publisher, stream, itemsOf(KEYS, 1));
        await arrived(lab, journal.items, itemsOf(KEYS, 1));
        const rest = await replace(lab, stream);
        await publishAll(publisher, stream, itemsOf(KEYS, EACH - 1, 1));
        lab.sever(severed);
        await arrived(lab, rest, itemsOf(KEYS, EACH - 1, 1));
        inOrder(rest);
      },
    },
    {
      name: "a message whose publish has resolved outlives its publisher",
      async run(lab) {
        const stream = lab.stream({ groups: ["heirs"] });
        const publisher = await lab.bus();
        await publishAll(publisher, stream, itemsOf(KEYS, EACH));
        lab.sever(publisher);
        await arrived(lab, await replace(lab, stream, "heirs"), itemsOf(KEYS, EACH));
      },
    },
  ],
};

/** A member that handles the first message of each key and never finishes the second. */
async function stuckAtSecond(lab: Lab, stream: Stream): Promise<{ journal: Journal; severed: Bus }> {
  const severed = await lab.bus();
  const journal = new Journal();
  const stuck = lab.gate();
  await severed.subscribe(stream, { group: "heirs", concurrency: 2 * KEYS.length }, ({ payload }) =>
    journal.handle("vanishing", payload, () => (payload.n === 0 ? Promise.resolve() : stuck.opened)),
  );
  return { journal, severed };
}

async function replace(lab: Lab, stream: Stream, group = "heirs"): Promise<Item[]> {
  const bus = await lab.bus();
  const items: Item[] = [];
  await bus.subscribe(stream, { group }, ({ payload }) => items.push(payload));
  return items;
}

/** A key may begin with what had been handled but not settled; from there on nothing is skipped, repeated or swapped. */
function inOrder(items: readonly Item[]): void {
  for (const key of KEYS) {
    const numbers = items.filter((item) => item.key === key).map(({ n }) => n);
    const first = numbers[0] ?? 0;
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => first + i),
      `key ${key} came in another order`,
    );
    assert.ok(first <= 1, `key ${key} went on at ${first}, behind what was never settled`);
  }
}
