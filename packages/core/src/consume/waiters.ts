import type { Clock } from "../clock.ts";

/** Those who wait until something holds, asked anew whenever it may have come to hold. */
export class Waiters {
  readonly #clock: Clock;
  readonly #checks = new Set<() => boolean>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves when `condition` holds, or at the deadline. */
  until(condition: () => boolean, deadline: number): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#checks.delete(check);
        resolve();
        return true;
      };
      const check = () => condition() && done();
      const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), done);
      this.#checks.add(check);
    });
  }
}
