import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { itemsOf, publishAll } from "../items.ts";

export const pulling: Behaviour = {
  name: "pulling",
  checks: [
    {
      name: "deliveries are received in turn, come again after a nack, and not after an ack",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const bus = await lab.bus();
        await using puller = await bus.pull(stream, { retry: { backoff: "5ms" } });
        await publishAll(bus, stream, itemsOf(["k"], 3));
        const seen: string[] = [];
        for (let turn = 0; turn < 4; turn++) {
          const delivery = await lab.within(puller.receive(), "a delivery");
          if (delivery === undefined) break;
          seen.push(`${delivery.payload.n}:${delivery.attempt}`);
          if (turn === 1) delivery.nack(new Error("not yet"));
          else delivery.ack();
        }
        assert.deepEqual(seen, ["0:1", "1:1", "1:2", "2:1"]);
        assert.equal(await puller.receive({ timeout: "100ms" }), undefined);
      },
    },
    {
      name: "an iteration that is left early loses nothing and repeats nothing",
      async run(lab) {
        const stream = lab.stream({ partitions: 1, groups: ["conformance"] });
        const [first, second] = [await lab.bus(), await lab.bus()];
        await publishAll(first, stream, itemsOf(["k"], 6));
        const seen: number[] = [];
        for (const [bus, last] of [
          [first, 2],
          [second, 5],
        ] as const) {
          const puller = await bus.pull(stream);
          for await (const { payload, ack } of puller) {
            seen.push(payload.n);
            ack();
            if (payload.n === last) break;
          }
          await puller.close();
        }
        assert.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
      },
    },
  ],
};
