import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManualClock } from "../src/test-clock.ts";

test("a manual clock runs what falls due, in order, when it is moved, and not before", async () => {
  const clock = new ManualClock(1_000);
  const ran: string[] = [];
  clock.after(20, () => ran.push("b"));
  clock.after(10, () => ran.push("a"));
  clock.after(20, () => ran.push("c"));
  clock.after(20, () => ran.push("never"))();
  clock.after(30, () => ran.push("late"));
  await turn();
  expect(ran).toEqual([]);
  expect(clock.next).toBe(1_010);
  clock.moveTo(1_020);
  await turn();
  expect(ran).toEqual(["a", "b", "c"]);
  expect(clock.now()).toBe(1_020);
});

test("a manual clock runs by itself what is due at once, but not inside the call", async () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.after(0, () => ran.push("now"));
  expect(ran).toEqual([]);
  await turn();
  expect(ran).toEqual(["now"]);
  expect(clock.next).toBeUndefined();
});
