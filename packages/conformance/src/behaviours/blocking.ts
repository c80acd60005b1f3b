import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll } from "../items.ts";
import type { Item } from "../lab.ts";

const BLOCK = { onFailure: "block", retry: { attempts: 2, backoff: "5ms" } } as const;

export const blocking: Behaviour = {
  name: "blocking",
  checks: [
    {
      name: "a key that is blocked waits until it is released, in order, and other keys go on",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        const done: Item[] = [];
        let broken = true;
        const subscription = await bus.subscribe(stream, BLOCK, ({ payload }) => {
          if (payload.key === "bad" && payload.n === 0 && broken) throw new Error("never");
          done.push(payload);
        });
        await publishAll(bus, stream, itemsOf(["bad", "good"], 3));
        await arrived(lab, done, itemsOf(["good"], 3));
        await lab.until(
          () => subscription.blocked.length === 1,
          () => "the key to be blocked",
        );
        assert.equal((await bus.health()).status, "down");
        assert.deepEqual(
          done.filter(({ key }) => key === "bad"),
          [],
        );
        broken = false;
        assert.ok(subscription.release(subscription.blocked[0]?.delivery.id ?? ""));
        await arrived(lab, done, itemsOf(["bad"], 3));
        assert.deepEqual(
          done.filter(({ key }) => key === "bad").map(({ n }) => n),
          [0, 1, 2],
        );
      },
    },
    {
      name: "what was blocked comes to who takes over from a member that vanished, in order",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const [first, second] = [await lab.bus(), await lab.bus()];
        const subscription = await first.subscribe(stream, BLOCK, ({ payload }) => {
          if (payload.key === "bad") throw new Error("never");
        });
        await publishAll(first, stream, itemsOf(["bad", "good"], 3));
        await lab.until(
          () => subscription.blocked.length === 1,
          () => "the key to be blocked",
        );
        lab.sever(first);
        const done: Item[] = [];
        await second.subscribe(stream, ({ payload }) => done.push(payload));
        await arrived(lab, done, itemsOf(["bad"], 3));
        assert.deepEqual(
          done.filter(({ key }) => key === "bad").map(({ n }) => n),
          [0, 1, 2],
        );
      },
    },
  ],
};
