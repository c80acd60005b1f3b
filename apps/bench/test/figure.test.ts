import { expect, test } from "vitest";
import { atLeast, atMost, compare, figureOf, median } from "../src/figure.ts";

test("sides are measured in turn, and what warms up is not counted", async () => {
  const calls: string[] = [];
  const figure = await compare(
    { name: "some", unit: "messages/s", target: atLeast(2), pairs: 3 },
    (round) => {
      calls.push(`ours ${round}`);
      return [1_000, 30, 10, 20][round + 1] ?? 0;
    },
    (round) => {
      calls.push(`theirs ${round}`);
      return 10;
    },
  );
  expect(calls).toEqual([-1, 0, 1, 2].flatMap((round) => [`ours ${round}`, `theirs ${round}`]));
  expect(figure).toMatchObject({ ours: 20, theirs: 10, ratio: 2, spread: [1, 3], pairs: 3, target: "ratio >= 2", met: true });
});

test("the ratio is that of the pairs, not of the medians", () => {
  const pairs = [
    { ours: 10, theirs: 1 },
    { ours: 20, theirs: 10 },
    { ours: 30, theirs: 30 },
  ];
  expect(figureOf({ name: "some", unit: "µs", target: atMost(1.1) }, pairs)).toMatchObject({
    ours: 20,
    theirs: 10,
    ratio: 2,
    met: false,
  });
});

test("the median of an even number is between the middle two", () => {
  expect([median([4, 1, 3, 2]), median([5]), median([9, 1, 5])]).toEqual([2.5, 5, 5]);
});
