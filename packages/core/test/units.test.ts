import { describe, expect, test } from "vitest";
import { toBytes, toMilliseconds } from "../src/units.ts";

describe("a duration", () => {
  test.each([
    [250, 250],
    [0, 0],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
  ])("%j is %d ms", (value, ms) => {
    expect(toMilliseconds(value)).toBe(ms);
  });

  test.each([
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "5",
    "s",
    "-5s",
    "5 s",
    "5S",
    "5min",
    "1e3s",
    "0x1s",
    "1KiB",
    null,
    undefined,
    {},
  ])("%j is none", (value) => {
    expect(toMilliseconds(value)).toBeUndefined();
  });
});

describe("a size", () => {
  test.each([
    [4_096, 4_096],
    ["512B", 512],
    ["64KiB", 65_536],
    ["0.5MiB", 524_288],
  ])("%j is %d bytes", (value, bytes) => {
    expect(toBytes(value)).toBe(bytes);
  });

  test.each([-1, "1", "1kb", "1KB", "1GB", "5s", null, undefined])("%j is none", (value) => {
    expect(toBytes(value)).toBeUndefined();
  });
});
