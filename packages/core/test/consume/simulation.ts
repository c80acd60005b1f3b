import type { Dispatcher } from "../../src/consume/dispatcher.ts";
import type { Entry } from "../../src/consume/entry.ts";
import type { Verdict } from "../../src/consume/verdict.ts";
import type { Incoming, Settlement, Source } from "../../src/transport.ts";
import { ManualClock } from "../manual-clock.ts";

export interface Logged {
  readonly position: number;
  readonly key: string | undefined;
}

const CONCURRENCY = 4;

interface Running {
  readonly entry: Entry;
  readonly logged: Logged;
  readonly end: (verdict: Verdict) => void;
}

/**
 * One partition of a log (positions with gaps) under a dispatcher, and what must hold of it at every moment: nothing unfinished is settled, one key
 * is never worked on twice at once, and no message is started before all earlier ones of its key are finished.
 */
export class Simulation {
  readonly clock = new ManualClock();
  readonly dispatcher: Dispatcher;
  readonly finished = new Map<number, number>();
  readonly violations: string[] = [];
  /** What a new owner would begin with. */
  committed = -1;
  running: Running[] = [];
  held: { readonly logged: Logged; readonly end: () => void }[] = [];
  readonly #log: readonly Logged[];
  readonly #byPosition: ReadonlyMap<number, Logged>;
  #source: Source | undefined;
  #lostSource: Source | undefined;
  #next = 0;
  #epoch = 0;
  #paused = false;
  #closing = false;

  constructor(Engine: typeof Dispatcher, log: readonly Logged[]) {
    this.#log = log;
    this.#byPosition = new Map(log.map((logged) => [logged.position, logged]));
    this.dispatcher = new Engine({
      clock: this.clock,
      concurrency: CONCURRENCY,
      keyed: true,
      window: { messages: 8, bytes: 1_000_000 },
      settleEvery: { messages: 3, ms: 50 },
      singleSettlement: false,
      attempt: (entry) => this.#attempt(entry),
      onFailed: () => {},
    });
  }

  get owned(): boolean {
    return this.#source !== undefined;
  }

  get settled(): boolean {
    return this.committed === this.#log.at(-1)?.position;
  }

  gain(): void {
    if (this.#source !== undefined) return;
    this.#epoch++;
    const source: Source = {
      id: "t/0",
      epoch: String(this.#epoch),
      partition: 0,
      pause: () => this.#setPaused(source, true),
      resume: () => this.#setPaused(source, false),
      settle: (what) => this.#settle(source, what),
    };
    this.#source = source;
    this.#paused = false;
    this.#next = this.#log.findIndex(({ position }) => position > this.committed);
    if (this.#next < 0) this.#next = this.#log.length;
    this.dispatcher.gained(source);
  }

  deliver(count: number): void {
    if (this.#source === undefined || this.#paused) return;
    const batch = this.#log.slice(this.#next, this.#next + count).map(incoming);
    this.#next += batch.length;
    this.dispatcher.batch(this.#source, batch);
  }

  /** A batch of an epoch that is over, which was on its way when that ended. */
  deliverLate(count: number): void {
    if (this.#lostSource !== undefined) this.dispatcher.batch(this.#lostSource, this.#log.slice(0, count).map(incoming));
  }

  /** The connection goes, or another member takes over without asking. */
  lose(): void {
    const source = this.#source;
    this.#source = undefined;
    this.#lostSource = source ?? this.#lostSource;
    if (source !== undefined) this.dispatcher.lost([source]);
  }

  /** An orderly hand-over; what runs gets `patience` milliseconds. */
  async handOver(patience: number): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    const losing = this.dispatcher.losing([source], this.clock.now() + patience);
    this.#closing = true;
    await this.finish(0, "done");
    this.clock.advance(patience);
    await losing;
    this.lose();
    this.#closing = false;
  }

  #attempt(entry: Entry): Promise<Verdict> {
    const logged = this.#byPosition.get(Number(entry.incoming.position)) as Logged;
    entry.attempts++;
    if (logged.key !== undefined) {
      const busy = [...this.running, ...this.held].some((other) => other.logged.key === logged.key);
      if (busy) this.violations.push(`${logged.position}: key ${logged.key} is worked on already`);
      const skipped = this.#log.find(
        ({ position, key }) => key === logged.key && position < logged.position && !this.finished.has(position),
      );
      if (skipped) this.violations.push(`${logged.position}: started before ${skipped.position} of the same key was finished`);
    }
    if (this.#closing) this.violations.push(`${logged.position}: started during a hand-over`);
    if (this.running.length >= CONCURRENCY) this.violations.push("more run than concurrency allows");
    return new Promise((resolve) => this.running.push({ entry, logged, end: resolve }));
  }

  async finish(index: number, how: "done" | "retry" | "hold"): Promise<void> {
    const [one] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (one === undefined) return;
    if (how === "done") this.#count(one.logged);
    if (how === "hold") {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { logged } = one;
      this.held.push({
        logged,
        end: () => {
          this.#count(logged);
          resolve();
        },
      });
      one.end({ held: promise });
    } else one.end(how === "done" ? "done" : { retryIn: 100 });
    await tick();
  }

  async release(): Promise<void> {
    this.held.shift()?.end();
    await tick();
  }

  #setPaused(source: Source, paused: boolean): void {
    if (source === this.#source) this.#paused = paused;
  }

  #count({ position }: Logged): void {
    this.finished.set(position, (this.finished.get(position) ?? 0) + 1);
  }

  async #settle(source: Source, { upTo, singles }: Settlement): Promise<"ok" | "fenced"> {
    // On its way to the broker, while anything may happen.
    await tick();
    await tick();
    if (source !== this.#source) return "fenced";
    if (singles.length > 0) this.violations.push("settled alone where that is not possible");
    if (upTo === undefined) return "ok";
    const unfinished = this.#log.find(
      ({ position }) => position > this.committed && position <= upTo && !this.finished.has(position),
    );
    if (unfinished) this.violations.push(`settled up to ${upTo}, past ${unfinished.position}`);
    if (upTo <= this.committed) this.violations.push(`settled ${upTo} after ${this.committed}`);
    this.committed = upTo;
    return "ok";
  }
}

/** Lets everything run that is due now. */
export async function tick(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function incoming({ position, key }: Logged): Incoming {
  return {
    token: position,
    position: String(position),
    key: key === undefined ? undefined : Buffer.from(key),
    body: Buffer.from("x"),
    attributes: { id: `m-${position}` },
    contentType: undefined,
    timestamp: 0,
    headers: [],
    redelivered: false,
    native: undefined,
  };
}
