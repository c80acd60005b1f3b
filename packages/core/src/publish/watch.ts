import type { Clock } from "../clock.ts";

/** Somebody who waits no longer than until `deadline` (a time of the clock, or `Infinity`) or until `signal` aborts. */
export interface Waiter {
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** Deadlines are noticed this late at most, in milliseconds: one sweep serves all that fall due together. */
const COARSE = 20;

/** Deadlines and signals of many waiters, with one timer for all and one listener a signal; nothing is left running when nobody waits. */
export class Watch<T extends Waiter> {
  readonly #clock: Clock;
  readonly #giveUp: (waiter: T, why: "timeout" | "abort") => void;
  readonly #waiters = new Set<T>();
  readonly #signals = new Map<AbortSignal, { readonly waiters: Set<T>; readonly onAbort: () => void }>();
  #due = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #whenEmpty: (() => void)[] = [];

  /** `giveUp` is called for a waiter that was just removed: its time ran out, or its signal aborted. */
  constructor(clock: Clock, giveUp: (waiter: T, why: "timeout" | "abort") => void) {
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** The signal of `waiter` has not aborted yet. */
  add(waiter: T): void {
    this.#waiters.add(waiter);
    if (waiter.deadline < this.#due) this.#arm(waiter.deadline);
    if (waiter.signal !== undefined) this.#listen(waiter, waiter.signal);
  }

  has(waiter: T): boolean {
    return this.#waiters.has(waiter);
  }

  /** Whether `waiter` was still waiting. */
  delete(waiter: T): boolean {
    if (!this.#waiters.delete(waiter)) return false;
    if (waiter.signal !== undefined) this.#unlisten(waiter, waiter.signal);
    if (this.#waiters.size === 0) this.#rest();
    return true;
  }

  /** Removes and gives all. */
  clear(): readonly T[] {
    const waiters = [...this.#waiters];
    for (const waiter of waiters) this.delete(waiter);
    return waiters;
  }

  /** Resolves when nobody waits. */
  empty(): Promise<void> {
    return this.#waiters.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #rest(): void {
    this.#disarm();
    const resolvers = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of resolvers) resolve();
  }

  #arm(at: number): void {
    this.#disarm();
    this.#due = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#sweep());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = Number.POSITIVE_INFINITY;
  }

  #sweep(): void {
    this.#disarm();
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      if (waiter.deadline > now) next = Math.min(next, waiter.deadline);
      else if (this.delete(waiter)) this.#giveUp(waiter, "timeout");
    }
    if (next < this.#due) this.#arm(Math.max(next, now + COARSE));
  }

  #listen(waiter: T, signal: AbortSignal): void {
    let entry = this.#signals.get(signal);
    if (entry === undefined) {
      const waiters = new Set<T>();
      const onAbort = () => {
        for (const one of waiters) if (this.delete(one)) this.#giveUp(one, "abort");
      };
      entry = { waiters, onAbort };
      this.#signals.set(signal, entry);
      signal.addEventListener("abort", onAbort);
    }
    entry.waiters.add(waiter);
  }

  #unlisten(waiter: T, signal: AbortSignal): void {
    const entry = this.#signals.get(signal);
    entry?.waiters.delete(waiter);
    if (entry?.waiters.size !== 0) return;
    this.#signals.delete(signal);
    signal.removeEventListener("abort", entry.onAbort);
  }
}
