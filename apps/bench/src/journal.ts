import { setTimeout as sleep } from "node:timers/promises";
import { durationOf, type Work } from "./work.ts";

/** What handlers did, and whether they were allowed to: each message once, each key in order and one at a time. */
export class Journal {
  readonly #total: number;
  readonly #begun = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #handled = new Set<number>();
  readonly #finished = Promise.withResolvers<number>();
  #start: number | undefined;
  #problem: string | undefined;

  constructor(total: number) {
    this.#total = total;
  }

  /** Milliseconds from the first begin to the last end. Rejects with the first thing that must not be. */
  get elapsed(): Promise<number> {
    return this.#finished.promise;
  }

  begin({ index, key }: Work): void {
    this.#start ??= performance.now();
    if (this.#handled.has(index)) this.#problem ??= `message ${index} was handled twice`;
    if (this.#running.has(key)) this.#problem ??= `${key} was handled twice at once`;
    if ((this.#begun.get(key) ?? -1) > index) this.#problem ??= `message ${index} of ${key} came after a later one`;
    this.#begun.set(key, index);
    this.#running.add(key);
    this.#handled.add(index);
  }

  end({ key }: Work): void {
    this.#running.delete(key);
    if (this.#problem !== undefined) this.#finished.reject(new Error(this.#problem));
    if (this.#running.size > 0 || this.#handled.size < this.#total) return;
    this.#finished.resolve(performance.now() - (this.#start ?? 0));
  }
}

/** The handler of both sides: takes its time, and writes down that it did. */
export async function handle(journal: Journal, work: Work): Promise<void> {
  journal.begin(work);
  await sleep(durationOf(work.index));
  journal.end(work);
}
