import { describe, expect, test } from "vitest";
import { backoffDelay, RECONNECT } from "../src/backoff.ts";

const longest = () => 1;

describe("backoff", () => {
  test("grows by its factor up to its maximum", () => {
    const backoff = { initial: 100, max: 1_000, factor: 3 };
    expect([1, 2, 3, 4].map((attempt) => backoffDelay(backoff, attempt, longest))).toEqual([100, 300, 900, 1_000]);
  });

  test("doubles by default, and stays finite however often it failed", () => {
    expect(backoffDelay({ initial: 100, max: 10_000 }, 3, longest)).toBe(400);
    expect(backoffDelay({ initial: 100, max: 10_000 }, 1_000_000, longest)).toBe(10_000);
  });

  test("is a random part of the span, so that many who failed together do not come back together", () => {
    expect(backoffDelay(RECONNECT, 1, () => 0.25)).toBe(RECONNECT.initial / 4);
    const delays = new Set(Array.from({ length: 20 }, () => backoffDelay(RECONNECT, 5)));
    expect(delays.size).toBeGreaterThan(1);
    for (const delay of delays) expect(delay).toBeLessThan(RECONNECT.max);
  });

  test("of nothing is nothing", () => {
    expect(backoffDelay({ initial: 0, max: 0 }, 9)).toBe(0);
  });
});
