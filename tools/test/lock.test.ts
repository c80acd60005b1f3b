import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "../src/system/lock.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "waybill-tools-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("work under one lock never overlaps, and those who wait are told", async () => {
  let inside = 0;
  let most = 0;
  const told: string[] = [];
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((turn) => setImmediate(turn));
    inside--;
  };
  const log = (line: string): void => void told.push(line);
  await Promise.all([1, 2, 3].map(() => withLock(join(dir, "lock"), log, work)));
  expect(most).toBe(1);
  expect(told[0]).toMatch(/waiting for another process/);
});

test("work that fails gives the lock back", async () => {
  const failing = withLock(
    join(dir, "lock"),
    () => undefined,
    () => Promise.reject(new Error("no network")),
  );
  await expect(failing).rejects.toThrow("no network");
  expect(
    await withLock(
      join(dir, "lock"),
      () => undefined,
      async () => "done",
    ),
  ).toBe("done");
});
