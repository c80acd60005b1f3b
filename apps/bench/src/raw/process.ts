import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Operations } from "./operations.ts";

const WORKER = new URL("./worker.ts", import.meta.url).pathname;

/**
 * The raw clients in a process of their own: Waybill repairs kafkajs for the whole of its process, and compilers and collectors of garbage do better
 * with one side's code than with both.
 */
export class RawClients implements AsyncDisposable {
  readonly #child: ChildProcess = fork(WORKER, {
    // kafkajs sets timers of negative delay, of which Node warns.
    execArgv: ["--conditions=@waybill/source", "--disable-warning=TimeoutNegativeWarning"],
  });

  /** Runs one operation there, one at a time. */
  async measure<K extends keyof Operations>(name: K, task: Parameters<Operations[K]>[0]): Promise<number> {
    const over = new AbortController();
    const { signal } = over;
    const ended = once(this.#child, "exit", { signal }).then(() =>
      Promise.reject(new Error("the raw client's process has ended")),
    );
    const answered = once(this.#child, "message", { signal });
    this.#child.send({ name, task });
    try {
      const [{ value, error }] = await Promise.race([answered, ended]);
      if (error !== undefined) throw new Error(`the raw client failed: ${error}`);
      return value;
    } finally {
      over.abort();
      await Promise.allSettled([answered, ended]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await exit;
    clearTimeout(late);
  }
}
