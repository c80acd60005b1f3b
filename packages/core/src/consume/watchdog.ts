import type { Clock } from "../clock.ts";
import type { Entry } from "./entry.ts";

export interface WatchdogOptions {
  readonly clock: Clock;
  /** How long a handler may run before it is reported, in milliseconds. */
  readonly after: number;
  readonly running: () => ReadonlySet<Entry>;
  /** Called once an attempt. */
  onStuck(entry: Entry, ms: number): void;
}

/** Notices handlers that do not come back. It holds a timer only while something runs. */
export class Watchdog {
  readonly #o: WatchdogOptions;
  readonly #reported = new WeakMap<Entry, number>();
  #cancel: (() => void) | undefined;

  constructor(options: WatchdogOptions) {
    this.#o = options;
  }

  /** A handler was started. */
  watch(): void {
    this.#cancel ??= this.#o.clock.after(this.#o.after, () => this.#look(), true);
  }

  /** Handlers that have run for too long by now. */
  get stuck(): number {
    let count = 0;
    for (const entry of this.#o.running()) if (this.#overdue(entry) >= 0) count++;
    return count;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #overdue(entry: Entry): number {
    return this.#o.clock.now() - entry.startedAt - this.#o.after;
  }

  #look(): void {
    const { clock, after, running, onStuck } = this.#o;
    this.#cancel = undefined;
    let next: number | undefined;
    for (const entry of running()) {
      const overdue = this.#overdue(entry);
      if (overdue < 0) next = Math.min(next ?? after, -overdue);
      if (overdue < 0 || this.#reported.get(entry) === entry.startedAt) continue;
      this.#reported.set(entry, entry.startedAt);
      onStuck(entry, overdue + after);
    }
    if (next !== undefined) this.#cancel = clock.after(next, () => this.#look(), true);
  }
}
