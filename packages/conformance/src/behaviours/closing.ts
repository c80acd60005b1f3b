import assert from "node:assert/strict";
import type { Bus } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, arrivedOnce, itemsOf, publishAll } from "../items.ts";
import type { Item, Lab, Stream } from "../lab.ts";

export const closing: Behaviour = {
  name: "closing",
  checks: [
    {
      name: "after close, publish and subscribe reject with CLOSED",
      async run(lab) {
        const stream = lab.stream({ groups: ["some"] });
        const bus = await lab.bus();
        await bus.publish(stream, { key: "k", n: 0 });
        await bus.close();
        await assert.rejects(bus.publish(stream, { key: "k", n: 1 }), { code: "WAYBILL_CLOSED" });
        await assert.rejects(
          bus.subscribe(stream, () => undefined),
          { code: "WAYBILL_CLOSED" },
        );
      },
    },
    {
      name: "close may be called again, at once or later, also on a bus that was never used",
      async run(lab) {
        const stream = lab.stream();
        const [used, unused] = [await lab.bus(), await lab.bus()];
        await used.subscribe(stream, () => undefined);
        await lab.within(Promise.all([used.close(), used.close(), unused.close()]), "close");
        await lab.within(Promise.all([used.close(), unused.close()]), "close to be over at once");
      },
    },
    {
      name: "close waits for handlers, lets them publish, and settles what they did",
      async run(lab) {
        const [stream, results] = [lab.stream(), lab.stream()];
        const [closing, other] = [await lab.bus(), await lab.bus()];
        const gate = lab.gate();
        const [started, published, ended]: [Item[], Item[], Item[]] = [[], [], []];
        await other.subscribe(results, ({ payload }) => published.push(payload));
        await closing.subscribe(stream, async ({ payload }) => {
          started.push(payload);
          await gate.opened;
          await closing.publish(results, payload);
          ended.push(payload);
        });
        const items = itemsOf(["a", "b", "c"], 1);
        await publishAll(other, stream, items);
        await arrived(lab, started, items);
        const closed = closing
          .close()
          .then(() => assert.deepEqual(ended.length, items.length, "close resolved before the handlers had"));
        // The time of a round trip, in which a close that does not wait would be over.
        await roundTrip(lab, other);
        gate.open();
        await closed;
        await arrived(lab, published, items);
        await arrivedOnce(lab, other, stream, await take(other, stream), []);
      },
    },
    {
      name: "what a closed member had not started comes to the next one, nothing twice",
      async run(lab) {
        const stream = lab.stream();
        const [closing, other] = [await lab.bus(), await lab.bus()];
        const gate = lab.gate();
        const got: Item[] = [];
        await closing.subscribe(stream, { concurrency: 2 }, async ({ payload }) => {
          got.push(payload);
          if (got.length > 5) await gate.opened;
        });
        const items = itemsOf(["a", "b", "c", "d"], 10);
        await publishAll(other, stream, items);
        await lab.until(
          () => got.length > 5,
          () => "the member to be busy",
        );
        const closed = closing.close();
        gate.open();
        await closed;
        await arrivedOnce(lab, other, stream, await take(other, stream, got), items);
      },
    },
    {
      name: "close waits until what was being published is stored",
      async run(lab) {
        const stream = lab.stream({ groups: ["conformance"] });
        const [closing, other] = [await lab.bus(), await lab.bus()];
        const items = itemsOf(["a", "b", "c", "d"], 25);
        const publishes = publishAll(closing, stream, items);
        await Promise.all([publishes, closing.close()]);
        await arrivedOnce(lab, other, stream, await take(other, stream), items);
      },
    },
  ],
};

async function take(bus: Bus, stream: Stream, got: Item[] = []): Promise<Item[]> {
  await bus.subscribe(stream, ({ payload }) => got.push(payload));
  return got;
}

async function roundTrip(lab: Lab, bus: Bus): Promise<void> {
  const stream = lab.stream();
  const got = await take(bus, stream);
  await bus.publish(stream, { key: "k", n: 0 });
  await arrived(lab, got, [{ key: "k", n: 0 }]);
}
