import { execFile, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { identify, isRunning, type ProcessId, sendSignal } from "./identity.ts";
import { until } from "./wait.ts";

const execute = promisify(execFile);

/** What to run, and where its output goes. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Both output streams are appended to this file. */
  readonly logFile: string;
}

/** Starts a process in a session of its own, which signals of this terminal do not reach; throws when the file cannot be run. */
export async function startDetached(command: Command): Promise<ProcessId> {
  const log = openSync(command.logFile, "a");
  try {
    const child = spawn(command.file, command.args, {
      detached: true,
      env: { ...process.env, ...command.env },
      stdio: ["ignore", log, log],
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once("spawn", resolve).once("error", reject);
    await promise;
    child.unref();
    return identify(child.pid ?? 0) ?? { pid: child.pid ?? 0, started: "ended at once" };
  } finally {
    closeSync(log);
  }
}

/** Ends a process and waits until it is gone: `SIGTERM`, then `SIGKILL` after `grace` milliseconds; at once without any. */
export async function endProcess(id: ProcessId, grace = 0): Promise<void> {
  if (grace > 0 && sendSignal(id, "SIGTERM")) {
    await until({ what: `process ${id.pid} to end`, timeout: grace }, () => !isRunning(id)).catch(() => undefined);
  }
  sendSignal(id, "SIGKILL");
  await until({ what: `process ${id.pid} to end after SIGKILL`, timeout: 10_000, interval: 20 }, () => !isRunning(id));
}

/** Where and how {@link run} runs a command. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds. @default ten minutes */
  readonly timeout?: number;
}

/** Runs a command to its end and gives its output; rejects with what it printed when it fails or takes too long. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  try {
    const { stdout } = await execute(file, args, {
      timeout: 600_000,
      ...options,
      env: { ...process.env, ...options.env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as { stdout?: string; stderr?: string; message: string };
    const printed = lastLines(`${stdout}\n${stderr}`, 20);
    throw new Error(`${file} failed: ${printed || message}`, { cause: error });
  }
}

/** The last lines of a log file, for an error message; empty when there is none. */
export function tail(file: string, lines = 30): string {
  return existsSync(file) ? lastLines(readFileSync(file, "utf8"), lines) : "";
}

function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
