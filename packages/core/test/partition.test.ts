import { describe, expect, test } from "vitest";
import { murmur2, partitionOf } from "../src/partition.ts";

/**
 * Made with `org.apache.kafka.common.utils.Utils.murmur2` and `toPositive(hash) % 12` of kafka-clients 4.4.0, the UTF-8 bytes of each key; kafkajs 2.2.4
 * gives the same.
 */
const KEYS: readonly (readonly [key: string, hash: number, partitionOf12: number])[] = [
  ["", 275_646_681, 9],
  ["a", -1_563_381_124, 4],
  ["ab", 316_155_434, 2],
  ["abc", 479_470_107, 3],
  ["abcd", -1_323_649_548, 8],
  ["abcde", 461_995_741, 1],
  ["foobar", -790_332_482, 6],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971, 5],
  ["ORD", 1_930_652_851, 7],
  ["LAX", 1_527_128_204, 8],
  ["o-1", 747_680_922, 6],
  ["order-42", 501_153_024, 0],
  ["8f14e45f-ceea-467f-9e3a-3b8f0c2d1a77", -1_110_105_787, 1],
  ["köln", -663_642_723, 5],
  ["東京", -1_368_386_005, 7],
  ["🚀", 761_778_625, 1],
  [" ", -987_232_127, 9],
  ["0", 971_027_396, 8],
  ["-1", 1_531_782_027, 3],
  ["the quick brown fox jumps over the lazy dog", -890_066_680, 4],
  ["zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 1_395_358_574, 2],
];

/** Likewise, of the last so many of the bytes 0 to 255: above 127 a byte must not be taken for a negative one. */
const BYTES: readonly (readonly [length: number, hash: number, partitionOf12: number])[] = [
  [1, -311_467_685, 3],
  [2, -1_177_224_669, 11],
  [3, 1_883_754_278, 2],
  [5, -2_095_176_225, 11],
  [128, 872_916_902, 2],
  [129, -797_639_911, 1],
  [130, 1_380_692_011, 7],
  [131, -1_267_773_073, 7],
  [255, -40_751_598, 2],
  [256, -1_948_347_274, 10],
];

describe("the partition of a key is that of Kafka's Java client", () => {
  test.each(KEYS)("for %j", (key, hash, partition) => {
    const bytes = Buffer.from(key);
    expect(murmur2(bytes)).toBe(hash);
    expect(partitionOf(bytes, 12)).toBe(partition);
  });

  test.each(BYTES)("for %d raw bytes", (length, hash, partition) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i).subarray(256 - length);
    expect(murmur2(bytes)).toBe(hash);
    expect(partitionOf(bytes, 12)).toBe(partition);
  });
});

test("a topic of one partition has every key in it", () => {
  for (const [key] of KEYS) expect(partitionOf(Buffer.from(key), 1)).toBe(0);
});
