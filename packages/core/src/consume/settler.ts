import type { Clock } from "../clock.ts";
import type { SourceWindow } from "./window.ts";

/** How long a first entry may stay unfinished before what is finished behind it is settled alone. */
const STUCK_AFTER = 1_000;

/** Says when settlements are sent: often enough to bound what comes again after a crash, rarely enough not to cost. */
export class Settler {
  readonly #clock: Clock;
  readonly #every: { readonly messages: number; readonly ms: number };
  readonly #singles: boolean;
  readonly #due = new Set<SourceWindow>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, every: { readonly messages: number; readonly ms: number }, singles: boolean) {
    this.#clock = clock;
    this.#every = every;
    this.#singles = singles;
  }

  /** Something of this window was finished. */
  advanced(window: SourceWindow): void {
    if (window.state === "lost") return;
    if (window.advance >= this.#every.messages && !window.settling) {
      void window.settle();
    } else if (!this.#due.has(window) && (window.advance > 0 || (this.#singles && window.blocked))) {
      this.#due.add(window);
      this.#cancel ??= this.#clock.after(this.#every.ms, () => this.#tick());
    }
  }

  forget(window: SourceWindow): void {
    this.#due.delete(window);
  }

  /** Settles all that can be settled now, and resolves when the broker has taken it. */
  async flush(windows: Iterable<SourceWindow>): Promise<void> {
    await Promise.all([...windows].map((window) => window.settle()));
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due.clear();
  }

  #tick(): void {
    this.#cancel = undefined;
    const due = [...this.#due];
    this.#due.clear();
    const stuckBefore = this.#singles ? this.#clock.now() - STUCK_AFTER : undefined;
    for (const window of due) {
      if (!window.settling) void window.settle(stuckBefore);
      // What is finished behind a first entry that is not gets its turn later.
      if (this.#singles && window.state !== "lost" && window.blocked) this.#due.add(window);
    }
    if (this.#due.size > 0) this.#cancel ??= this.#clock.after(Math.max(this.#every.ms, 100), () => this.#tick());
  }
}
