import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Summary } from "../src/report.ts";

const PROGRAM = new URL("../src/index.ts", import.meta.url).pathname;

/** The demo in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  /** Base URL of its API; resolves when that listens. */
  readonly api: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Starts the demo as `npm run demo` does. It is killed when `signal` aborts. */
export function startDemo(args: readonly string[], signal: AbortSignal, env: NodeJS.ProcessEnv = {}): Child {
  const child = spawn(process.execPath, ["--conditions=@waybill/source", PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WAYBILL_TRANSPORT: undefined, ...env },
    signal,
    killSignal: "SIGKILL",
  });
  const [exited, stdout, stderr] = [once(child, "exit"), text(child.stdout), text(child.stderr)];
  const ended = Promise.all([exited, stdout, stderr]).then(([[code], out, err]) => ({ code, stdout: out, stderr: err }));
  const api = listening(child, ended);
  // Whoever needs only one of the two is not to be bothered by the other.
  for (const one of [api, ended]) one.catch(() => undefined);
  return { process: child, api, ended };
}

/** Runs the demo to its end and gives its result; rejects with what it wrote when it failed. */
export async function runDemo(args: readonly string[], signal: AbortSignal, env?: NodeJS.ProcessEnv): Promise<Summary> {
  return summaryOf(await startDemo([...args, "--json"], signal, env).ended);
}

/** The result that an ended demo printed. */
export function summaryOf({ code, stdout, stderr }: Awaited<Child["ended"]>): Summary {
  if (code !== 0) throw new Error(`the demo ended with ${code}\n${stderr}\n${stdout}`);
  return JSON.parse(stdout);
}

async function listening(child: ChildProcess, ended: Child["ended"]): Promise<string> {
  const heard = new Promise<string>((resolve) => {
    let all = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      all += chunk;
      const url = /listens on (\S+)/.exec(all)?.[1];
      if (url) resolve(url);
    });
  });
  const failed = ended.then(({ stderr }) => Promise.reject(new Error(`the demo ended before it listened\n${stderr}`)));
  failed.catch(() => undefined);
  return Promise.race([heard, failed]);
}
