import assert from "node:assert/strict";
import type { Delivery } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";

/** Keys with their murmur2, from Kafka's own tests (`UtilsTest.testMurmur2`): every client of every broker must place them alike. */
const JAVA: readonly (readonly [key: string, murmur2: number])[] = [
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
  ["abc", 479_470_107],
];
const PARTITIONS = 7;

export const keys: Behaviour = {
  name: "keys",
  checks: [
    {
      name: "a key comes back as it was, whatever its script",
      async run(lab) {
        const stream = lab.stream({ partitions: 3 });
        const wanted = ["k", "ключ/鍵", "🚀", "with space", "x".repeat(300), "a.b:c#d"];
        const got: (string | undefined)[] = [];
        const bus = await lab.bus();
        await bus.subscribe(stream, ({ key }) => got.push(key));
        for (const key of wanted) await bus.publish(stream, { key, n: 0 });
        await lab.until(
          () => got.length >= wanted.length,
          () => `${wanted.length} keys, not ${got.length}`,
        );
        assert.deepEqual(got.toSorted(), wanted.toSorted());
      },
    },
    {
      name: "a key goes to the partition to which Java's Kafka client would send it",
      async run(lab) {
        const stream = lab.stream({ partitions: PARTITIONS });
        const got: Delivery[] = [];
        const bus = await lab.bus();
        await bus.subscribe(stream, (delivery) => got.push(delivery));
        const wanted: Record<string, number> = {};
        const told: Record<string, number> = {};
        for (const [key, murmur2] of JAVA) {
          wanted[key] = (murmur2 & 0x7fff_ffff) % PARTITIONS;
          told[key] = (await bus.publish(stream, { key, n: 0 })).partition;
        }
        await lab.until(
          () => got.length >= JAVA.length,
          () => `${JAVA.length} messages, not ${got.length}`,
        );
        assert.deepEqual(told, wanted, "receipts name other partitions");
        assert.deepEqual(
          Object.fromEntries(got.map(({ key, partition }) => [key, partition])),
          wanted,
          "deliveries name other partitions",
        );
      },
    },
  ],
};
