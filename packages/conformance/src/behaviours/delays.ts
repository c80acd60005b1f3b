import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";

export const delays: Behaviour = {
  name: "delays",
  checks: [
    {
      name: "a message that is tried again later comes back to its group alone, counted, and never early",
      needs: ["delay"],
      async run(lab) {
        const stream = lab.keyless({ partitions: 2 });
        const bus = await lab.bus();
        const calls: { readonly attempt: number; readonly at: number; readonly id: string }[] = [];
        const others: string[] = [];
        await bus.subscribe(stream, { group: "others" }, ({ id }) => others.push(id));
        await bus.subscribe(stream, { retry: { attempts: 1, later: ["1s", "2s"] } }, ({ attempt, id }) => {
          calls.push({ attempt, at: Date.now(), id });
          if (attempt < 3) throw new Error("not yet");
        });
        const { id } = await bus.publish(stream, { key: "k", n: 0 });
        await lab.until(
          () => calls.length >= 3,
          () => `three calls, not ${calls.length}`,
        );
        const [first, second, third] = calls.map(({ at }) => at) as [number, number, number];
        assert.deepEqual(
          calls.map(({ attempt, id }) => ({ attempt, id })),
          [1, 2, 3].map((attempt) => ({ attempt, id })),
        );
        assert.ok(second - first >= 1_000, `it came again after ${second - first} ms, not 1000`);
        assert.ok(third - second >= 2_000, `it came again after ${third - second} ms, not 2000`);
        assert.deepEqual(others, [id]);
      },
    },
  ],
};
