import { describe, expect, test } from "vitest";
import { ownersOf, partsOf } from "../src/ownership.ts";

const cases = Array.from({ length: 40 }, (_, p) => p + 1).flatMap((partitions) =>
  Array.from({ length: 14 }, (_, m) => ({ partitions, members: m + 1 })),
);

describe("who owns what", () => {
  test("every partition has an owner among the members, in all 560 cases", () => {
    for (const { partitions, members } of cases) {
      const owners = ownersOf(partitions, members);
      expect(owners).toHaveLength(partitions);
      expect(owners.every((slot) => slot >= 0 && slot < members)).toBe(true);
    }
  });

  test("shares differ by one at most", () => {
    for (const { partitions, members } of cases) {
      const shares = new Array<number>(members).fill(0);
      for (const slot of ownersOf(partitions, members)) shares[slot] = (shares[slot] ?? 0) + 1;
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }
  });

  test("one member more takes its share, and nothing moves between the others", () => {
    for (const { partitions, members } of cases) {
      const [before, after] = [ownersOf(partitions, members), ownersOf(partitions, members + 1)];
      const moved = after.filter((slot, partition) => slot !== before[partition]);
      expect(moved.every((slot) => slot === members)).toBe(true);
      expect(moved).toHaveLength(Math.floor(partitions / (members + 1)));
    }
  });

  test("over all members each partition has one owner, and one backup that is another member", () => {
    for (const { partitions, members } of cases.filter((one) => one.members > 1)) {
      const parts = Array.from({ length: members }, (_, slot) => partsOf(slot, partitions, members));
      for (let partition = 0; partition < partitions; partition++) {
        const mine = parts.map((own) => own[partition]);
        expect(mine.filter((part) => part === "owner")).toHaveLength(1);
        expect(mine.filter((part) => part === "backup")).toHaveLength(1);
      }
    }
  });
});
