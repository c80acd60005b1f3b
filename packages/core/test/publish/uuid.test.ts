import { expect, test } from "vitest";
import { uuidv7 } from "../../src/uuid.ts";

test("ids have the layout of a UUIDv7 and carry their time", () => {
  const next = uuidv7();
  const now = Date.parse("2026-03-04T05:06:07.089Z");
  const id = next(now);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
});

test("ids ascend and differ within one millisecond, past the end of its counter, and when the clock goes back", () => {
  const next = uuidv7();
  const ids = Array.from({ length: 20_000 }, (_, i) => next(i < 10_000 ? 1_000_000 : 900_000));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

test("ids of two sources at one time differ", () => {
  const [one, other] = [uuidv7(), uuidv7()];
  const ids = Array.from({ length: 1_000 }, () => [one(5), other(5)]).flat();
  expect(new Set(ids).size).toBe(ids.length);
});
