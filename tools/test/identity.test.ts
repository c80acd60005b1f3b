import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { identify, isRunning, type ProcessId, parseStat, sendSignal } from "../src/system/identity.ts";

const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function idle(): { child: ReturnType<typeof spawn>; id: ProcessId } {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  children.push(child);
  const id = identify(child.pid ?? 0);
  if (!id) throw new Error("the child does not run");
  return { child, id };
}

test("a command with spaces and parentheses does not shift the fields of its stat line", () => {
  const stat = (state: string, threads: number) =>
    `7 (a ) b (c) ${state} 1 7 7 0 -1 4194560 95 0 0 0 1 2 0 0 20 0 ${threads} 0 123456 99 1`;
  expect(parseStat(stat("S", 1))).toBe("123456");
  expect(parseStat(stat("Z", 1))).toBeUndefined();
});

test("a killed process of which threads are left still counts as running", () => {
  const stat = "7 (java) Z 1 7 7 0 -1 4194560 95 0 0 0 1 2 0 0 20 0 12 0 123456 99 1";
  expect(parseStat(stat)).toBe("123456");
});

test("a process is running until it has ended", async () => {
  const { child, id } = idle();
  expect(isRunning(id)).toBe(true);
  const exit = once(child, "exit");
  expect(sendSignal(id, "SIGKILL")).toBe(true);
  await exit;
  expect(isRunning(id)).toBe(false);
  expect(sendSignal(id, "SIGKILL")).toBe(false);
});

test("another process that got the same number is left alone", () => {
  const { child, id } = idle();
  const earlier: ProcessId = { pid: id.pid, started: "before" };
  expect(isRunning(earlier)).toBe(false);
  expect(sendSignal(earlier, "SIGKILL")).toBe(false);
  expect(child.exitCode).toBeNull();
  expect(isRunning(id)).toBe(true);
});
