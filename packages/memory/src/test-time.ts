import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Duration } from "@waybill/core";
import { toMilliseconds, WaybillError } from "@waybill/core/transport";
import type { ManualClock } from "./test-clock.ts";

/** Time as a test sees it: it stands still until it is moved. */
export interface TestClock {
  now(): Date;
  /** Moves on by `by`, runs what falls due on the way at its own time, and is idle then. */
  advance(by: Duration): Promise<void>;
  /** Moves on until no timer is left. Rejects with `HANDLER_TIMEOUT` where timers set themselves anew without end. */
  runAll(): Promise<void>;
}

/** As long as nothing has begun for so many turns of the event loop, nothing will. */
const QUIET_TURNS = 5;
/** After so many turns it is something outside that is waited for, which need not be done busily. */
const BUSY_TURNS = 200;
const MOST_STEPS = 10_000;

/** Moves a manual clock from one moment at which something is due to the next, and lets everything come to rest at each. */
export class TestTime implements TestClock {
  readonly #clock: ManualClock;
  readonly #busyWith: () => string | undefined;

  constructor(clock: ManualClock, busyWith: () => string | undefined) {
    this.#clock = clock;
    this.#busyWith = busyWith;
  }

  now(): Date {
    return new Date(this.#clock.now());
  }

  async advance(by: Duration): Promise<void> {
    const end = this.#clock.now() + milliseconds(by, "advance");
    await this.idle();
    for (let next = this.#clock.next; next !== undefined && next <= end; next = this.#clock.next) await this.#step(next);
    await this.#step(end);
  }

  async runAll(): Promise<void> {
    await this.idle();
    let steps = 0;
    for (let next = this.#clock.next; next !== undefined; next = this.#clock.next) {
      if (steps++ === MOST_STEPS) throw timeout(`after ${MOST_STEPS} moves of the clock there are still timers`);
      await this.#step(next);
    }
  }

  /** Resolves when nothing is under way that could go on at the clock's present. */
  async idle(options: { timeout?: Duration } = {}): Promise<void> {
    const ms = milliseconds(options.timeout ?? "5s", "idle");
    const start = performance.now();
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      await (turns > BUSY_TURNS ? pause(1) : turn());
      const busy = this.#busyWith();
      quiet = busy === undefined ? quiet + 1 : 0;
      if (busy !== undefined && performance.now() - start > ms) throw timeout(`within ${ms} ms the bus was not idle: ${busy}`);
    }
  }

  async #step(time: number): Promise<void> {
    this.#clock.moveTo(time);
    await this.idle();
  }
}

function milliseconds(duration: Duration, what: string): number {
  const ms = toMilliseconds(duration);
  if (ms !== undefined) return ms;
  throw new WaybillError(
    "WAYBILL_CONFIG_INVALID",
    `${what}() was given ${JSON.stringify(duration)}, not a duration such as "10s".`,
  );
}

function timeout(what: string): WaybillError {
  return new WaybillError("WAYBILL_HANDLER_TIMEOUT", `The test bus did not come to rest: ${what}.`);
}
