import assert from "node:assert/strict";
import { topic, unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce, range } from "../items.ts";
import type { Item } from "../lab.ts";

/** Of the largest message, kept free for what a dead letter adds, and for headers. */
const RESERVE = 72 * 1_024;

export const refusals: Behaviour = {
  name: "refusals",
  checks: [
    {
      name: "publishers that disagree on the number of partitions lose nothing: the later one is refused, or uses the live number",
      async run(lab) {
        const four = lab.stream({ partitions: 4 });
        const nine = lab.stream({ name: four.name, partitions: 9 });
        const [bus, stranger] = [await lab.bus(), await lab.bus()];
        const got: Item[] = [];
        await bus.subscribe(four, ({ payload }) => got.push(payload));
        const keys = range(18).map((i) => `key-${i}`);
        const outcomes = await Promise.allSettled(keys.map((key) => stranger.publish(nine, { key, n: 0 })));
        const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
        assert.deepEqual(
          [...new Set(refusals)].filter((code) => code !== "WAYBILL_TOPIC_MISMATCH"),
          [],
        );
        await arrivedOnce(
          lab,
          bus,
          four,
          got,
          keys.filter((_, i) => outcomes[i]?.status === "fulfilled").map((key) => ({ key, n: 0 })),
        );
      },
    },
    {
      name: "a message that no group takes is refused, unless the topic lets it drop",
      needs: ["unroutable"],
      async run(lab) {
        const bus = await lab.bus();
        await assert.rejects(bus.publish(lab.stream(), { key: "k", n: 0 }), { code: "WAYBILL_UNROUTABLE" });
        await bus.publish(lab.stream({ unrouted: "drop" }), { key: "k", n: 0 });
      },
    },
    {
      name: "a payload over the limit rejects and nothing beside it does, not even one just below the limit",
      needs: ["largest message"],
      async run(lab) {
        const blobs = topic(lab.name("blobs"), {
          partitions: 1,
          schema: unchecked<{ n: number; blob: string }>(),
          key: () => "one",
        });
        const bus = await lab.bus();
        const got: number[] = [];
        await bus.subscribe(blobs, ({ payload }) => got.push(payload.n));
        const limit = lab.capabilities.maxMessageBytes ?? 0;
        const lengths = [0, limit - RESERVE, limit, 0];
        const outcomes = await Promise.allSettled(
          lengths.map((length, n) => bus.publish(blobs, { n, blob: "x".repeat(length) })),
        );
        assert.deepEqual(
          outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "stored")),
          ["stored", "stored", "WAYBILL_MESSAGE_TOO_LARGE", "stored"],
        );
        await lab.until(
          () => got.length >= 3,
          () => "the other three",
        );
        assert.deepEqual(got, [0, 1, 3]);
      },
    },
  ],
};
