import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce, itemsOf, publishAll } from "../items.ts";
import type { Item } from "../lab.ts";

export const groups: Behaviour = {
  name: "groups",
  checks: [
    {
      name: "each group gets every message, once, whether its members are in one process or not",
      async run(lab) {
        const stream = lab.stream();
        const [here, there] = [await lab.bus(), await lab.bus()];
        const got: Record<string, Item[]> = { billing: [], shipping: [], audit: [] };
        for (const [bus, group] of [
          [here, "billing"],
          [here, "shipping"],
          [there, "audit"],
        ] as const) {
          await bus.subscribe(stream, { group }, ({ payload }) => got[group]?.push(payload));
        }
        const items = itemsOf(["a", "b", "c", "d", "e"], 20);
        await publishAll(here, stream, items);
        for (const items_ of Object.values(got)) await arrivedOnce(lab, here, stream, items_, items);
      },
    },
    {
      name: "messages published before the first subscriber of a declared group wait for it",
      async run(lab) {
        const stream = lab.stream({ groups: ["later", "never"] });
        const bus = await lab.bus();
        const items = itemsOf(["a", "b", "c"], 10);
        await publishAll(bus, stream, items);
        const got: Item[] = [];
        await bus.subscribe(stream, { group: "later" }, ({ payload }) => got.push(payload));
        await arrivedOnce(lab, bus, stream, got, items);
      },
    },
  ],
};
