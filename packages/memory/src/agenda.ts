import type { Clock } from "@waybill/core/transport";

interface Item {
  readonly due: number;
  readonly work: () => void;
  disarm: () => void;
}

/**
 * The broker's timers. They run on the clock of whoever is connected, never early, and sleep while nobody is, so that a message that is
 * delayed for an hour does not keep a closed program alive.
 */
export class Agenda {
  #clock: Clock;
  #running = false;
  readonly #items = new Set<Item>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  start(clock: Clock): void {
    this.#clock = clock;
    this.#running = true;
    for (const item of this.#items) this.#arm(item);
  }

  stop(): void {
    this.#running = false;
    for (const item of this.#items) item.disarm();
  }

  /** Runs `work` after `ms`. The function returned cancels it. */
  after(ms: number, work: () => void): () => void {
    const item: Item = { due: this.now() + ms, work, disarm: () => {} };
    this.#items.add(item);
    if (this.#running) this.#arm(item);
    return () => {
      item.disarm();
      this.#items.delete(item);
    };
  }

  #arm(item: Item): void {
    item.disarm = this.#clock.after(Math.max(0, item.due - this.now()), () => {
      // Timers of the machine can be early by a fraction of a millisecond, and are cut to 24 days.
      if (this.now() < item.due) return this.#arm(item);
      this.#items.delete(item);
      item.work();
    });
  }
}
