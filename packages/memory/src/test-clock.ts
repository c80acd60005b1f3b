import type { Clock } from "@waybill/core/transport";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. What is due at once runs by itself, in a later turn of the event loop. */
export class ManualClock implements Clock {
  #now: number;
  /** In the order in which they fall due; of those due together, in the order in which they were set. */
  #timers: Timer[] = [];
  #due: NodeJS.Immediate | undefined;

  /** @param start milliseconds since the epoch */
  constructor(start = Date.UTC(2030, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer = { due: this.#now + Math.max(0, ms), callback };
    const at = this.#timers.findLastIndex(({ due }) => due <= timer.due);
    this.#timers.splice(at + 1, 0, timer);
    this.#runDueSoon();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** When the next timer falls due, if there is one. */
  get next(): number | undefined {
    return this.#timers[0]?.due;
  }

  /** Moves to a later time. What falls due at it or earlier runs by itself, in a later turn. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
    this.#runDueSoon();
  }

  #runDueSoon(): void {
    if (this.#due !== undefined || (this.next ?? Number.POSITIVE_INFINITY) > this.#now) return;
    this.#due = setImmediate(() => {
      this.#due = undefined;
      const present = this.#now;
      for (let timer = this.#timers[0]; timer !== undefined && timer.due <= present; timer = this.#timers[0]) {
        this.#timers.shift();
        timer.callback();
      }
    });
  }
}
