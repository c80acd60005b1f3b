import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that stays recognisable after its number has been given to another one. */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in whatever form the system tells it: compared, never computed with. */
  readonly started: string;
}

/** The identity of a running process; undefined when there is none of that number, or only a zombie. */
export function identify(pid: number): ProcessId | undefined {
  const started = process.platform === "linux" ? startedByProc(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether that very process still runs. */
export function isRunning(id: ProcessId): boolean {
  return identify(id.pid)?.started === id.started;
}

/** Sends a signal to that very process; false when it has ended. */
export function sendSignal(id: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isRunning(id)) return false;
  try {
    return process.kill(id.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** The start time in a line of `/proc/PID/stat`, field 22 of proc(5); undefined for a zombie. */
export function parseStat(stat: string): string | undefined {
  // The second field is the command in parentheses, which may itself hold spaces and parentheses; the third is next.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
  // While other threads of a killed process are still ending, its sockets and files are open though its first thread is a zombie.
  return (state === "Z" && threads <= 1) || state === "X" ? undefined : started;
}

function startedByProc(pid: number): string | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const line = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return line === "" || line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}
