import type { Clock } from "../clock.ts";
import type { WaybillError } from "../errors.ts";
import type { ConsumerSink, Incoming, Source } from "../transport.ts";
import { Carried } from "./carried.ts";
import { Entry } from "./entry.ts";
import { Lanes, laneKey } from "./lanes.ts";
import { Queue } from "./queue.ts";
import { Settler } from "./settler.ts";
import { SourceWindow } from "./window.ts";

/**
 * What became of one attempt.
 * `retryIn`: the entry waits that long in place, with its lane; `held`: it is settled when the promise resolves, without taking up concurrency.
 */
export type Verdict = "done" | { readonly retryIn: number } | { readonly held: Promise<unknown> };

export interface DispatcherOptions {
  readonly clock: Clock;
  /** Handlers that run at once. */
  readonly concurrency: number;
  /** One at a time for each key, in order. */
  readonly keyed: boolean;
  /** The most unsettled at once, shared out over the sources. */
  readonly window: { readonly messages: number; readonly bytes: number };
  readonly settleEvery: { readonly messages: number; readonly ms: number };
  readonly singleSettlement: boolean;
  /** Makes one attempt. Never throws or rejects. */
  attempt(entry: Entry): Verdict | Promise<Verdict>;
  onGap(source: Source): void;
  onFailed(error: WaybillError): void;
}

/**
 * The engine of a subscription: takes batches from sources, runs one attempt at a time for each key and `concurrency` in all, and settles what is
 * finished. It knows neither handlers nor brokers. The cost of a message does not depend on how many keys or messages there are.
 */
export class Dispatcher implements ConsumerSink {
  readonly #options: DispatcherOptions;
  readonly #windows = new Map<string, SourceWindow>();
  readonly #lanes = new Lanes();
  readonly #ready = new Queue<Entry>();
  readonly #running = new Set<Entry>();
  readonly #carried = new Carried();
  readonly #settler: Settler;
  /** Each is asked, whenever work ends, whether what it waits for has come. */
  readonly #waiters = new Set<() => boolean>();
  #paused = false;
  #stopped = false;
  #pumping = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#settler = new Settler(options.clock, options.settleEvery, options.singleSettlement);
  }

  // -------------------------------------------------------------- what the adapter calls

  gained(source: Source, info: { readonly committed: string | undefined; readonly gap: boolean }): void {
    const old = this.#windows.get(source.id);
    if (old !== undefined) this.lost([old.source]);
    const window = new SourceWindow(source);
    this.#windows.set(source.id, window);
    if (this.#paused) this.#hold(window);
    if (info.gap) this.#options.onGap(source);
  }

  batch(source: Source, messages: readonly Incoming[]): void {
    const window = this.#windows.get(source.id);
    // A late batch of an epoch that is over, or being handed over, comes again.
    if (window?.source !== source || window.state !== "owned") return;
    const now = this.#options.clock.now();
    for (const incoming of messages) this.#accept(window, incoming, now);
    this.#settler.advanced(window);
    this.#limit(window);
    this.#pump();
  }

  async losing(sources: readonly Source[], deadline: number): Promise<void> {
    const windows = this.#windowsOf(sources);
    for (const window of windows) {
      window.state = "closing";
      this.#dropWaiting(window);
    }
    await this.#until(() => windows.every((window) => window.active === 0 || window.state === "lost"), deadline);
    await Promise.all(windows.map((window) => window.settle()));
  }

  lost(sources: readonly Source[]): void {
    for (const window of this.#windowsOf(sources)) {
      this.#dropWaiting(window);
      window.state = "lost";
      this.#windows.delete(window.source.id);
      this.#settler.forget(window);
      this.#carried.keep(window);
      // They come again in another epoch. Each leaves its lane when its turn comes.
      for (const entry of window.entries()) if (entry.state === "queued") entry.state = "over";
    }
    this.#wake();
    this.#pump();
  }

  failed(error: WaybillError): void {
    this.#options.onFailed(error);
  }

  // -------------------------------------------------------------- what the subscription calls

  /** Messages that were taken and are not settled. */
  get inFlight(): number {
    let count = 0;
    for (const window of this.#windows.values()) count += window.unsettled;
    return count;
  }

  /** When the oldest unsettled message came. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const window of this.#windows.values()) if ((window.oldest ?? Infinity) < (oldest ?? Infinity)) oldest = window.oldest;
    return oldest;
  }

  /** Entries whose handler runs. */
  get running(): ReadonlySet<Entry> {
    return this.#running;
  }

  pause(): void {
    this.#paused = true;
    for (const window of this.#windows.values()) this.#hold(window);
  }

  resume(): void {
    this.#paused = false;
    for (const window of this.#windows.values()) this.#limit(window);
    this.#pump();
  }

  /** Starts nothing more, waits for what runs until `deadline`, and settles. True when nothing was left running. */
  async drain(deadline: number): Promise<boolean> {
    this.pause();
    const quiet = () => this.#running.size === 0 && [...this.#windows.values()].every((window) => window.active === 0);
    await this.#until(quiet, deadline);
    await this.#settler.flush(this.#windows.values());
    return quiet();
  }

  /** Nothing is started any more, for good. `reason` aborts the signals of handlers that still run. */
  stop(reason: unknown): void {
    this.#stopped = true;
    for (const window of this.#windows.values()) this.#dropWaiting(window);
    for (const entry of this.#running) entry.abort?.(reason);
    this.#settler.close();
  }

  /** The handler has settled early: the message counts as finished, its lane still waits for the handler. */
  finish(entry: Entry): void {
    const { window } = entry;
    window.finish(entry);
    this.#settler.advanced(window);
    this.#limit(window);
  }

  // -------------------------------------------------------------- the way of an entry

  #accept(window: SourceWindow, incoming: Incoming, now: number): void {
    const earlier = this.#carried.claim(window.source.id, incoming);
    if (earlier !== undefined && (earlier.finished || earlier.state === "running" || earlier.state === "held")) {
      earlier.token = incoming.token;
      earlier.window = window;
      if (earlier.state === "running" || earlier.state === "held") window.active++;
      window.track(earlier);
      return;
    }
    const entry = new Entry(incoming, window, now);
    if (earlier !== undefined) {
      entry.attempts = earlier.attempts;
      entry.redelivered = true;
    }
    window.track(entry);
    const { key } = incoming;
    const first = !this.#options.keyed || key === undefined || this.#lanes.add(laneKey(key), entry);
    if (first) this.#ready.push(entry);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#running.size < this.#options.concurrency && !this.#paused && !this.#stopped) {
      const entry = this.#ready.shift();
      if (entry === undefined) break;
      if (entry.state === "queued" && entry.window.state === "owned") {
        this.#start(entry);
      } else {
        entry.state = "over";
        this.#leave(entry);
      }
    }
    this.#pumping = false;
  }

  #start(entry: Entry): void {
    entry.state = "running";
    entry.startedAt = this.#options.clock.now();
    entry.window.active++;
    this.#running.add(entry);
    const verdict = this.#options.attempt(entry);
    if (verdict instanceof Promise) {
      void verdict.then((late) => {
        this.#attempted(entry, late);
        this.#pump();
      });
    } else {
      this.#attempted(entry, verdict);
    }
  }

  #attempted(entry: Entry, verdict: Verdict): void {
    this.#running.delete(entry);
    if (verdict === "done") {
      this.#over(entry, true);
    } else if ("held" in verdict) {
      entry.state = "held";
      void verdict.held.then(
        () => this.#released(entry, true),
        () => this.#released(entry, false),
      );
    } else if (entry.window.state === "owned" && !this.#stopped) {
      entry.state = "waiting";
      this.#inactive(entry);
      entry.cancelWait = this.#options.clock.after(verdict.retryIn, () => {
        entry.cancelWait = undefined;
        entry.state = "queued";
        this.#ready.push(entry);
        this.#pump();
      });
    } else {
      // Its source was lost or is being handed over: the next owner tries again.
      this.#over(entry, false);
    }
  }

  #released(entry: Entry, finished: boolean): void {
    this.#over(entry, finished);
    this.#pump();
  }

  /** An entry that was active has come to its end. */
  #over(entry: Entry, finished: boolean): void {
    entry.state = "over";
    const { window } = entry;
    if (finished) window.finish(entry);
    this.#leave(entry);
    this.#inactive(entry);
    this.#settler.advanced(window);
    this.#limit(window);
  }

  #inactive(entry: Entry): void {
    entry.window.active--;
    if (this.#waiters.size > 0) this.#wake();
  }

  #leave(entry: Entry): void {
    const next = this.#lanes.leave(entry);
    if (next !== undefined) this.#ready.push(next);
  }

  #dropWaiting(window: SourceWindow): void {
    for (const entry of window.entries()) {
      if (entry.state !== "waiting") continue;
      entry.cancelWait?.();
      entry.cancelWait = undefined;
      entry.state = "over";
      this.#leave(entry);
    }
  }

  // -------------------------------------------------------------- bounds and waiting

  /** Pauses a source that has its share of the window, and lets it go on when half of that is free again. */
  #limit(window: SourceWindow): void {
    if (this.#paused || window.state !== "owned") return;
    const { messages, bytes } = this.#options.window;
    const share = this.#windows.size;
    if (!window.paused && (window.unsettled * share >= messages || window.bytes * share >= bytes)) this.#hold(window);
    else if (window.paused && window.unsettled * share * 2 <= messages && window.bytes * share * 2 <= bytes) {
      window.paused = false;
      window.source.resume();
    }
  }

  #hold(window: SourceWindow): void {
    if (window.paused) return;
    window.paused = true;
    window.source.pause();
  }

  #windowsOf(sources: readonly Source[]): SourceWindow[] {
    return sources.flatMap((source) => {
      const window = this.#windows.get(source.id);
      return window?.source === source ? [window] : [];
    });
  }

  #wake(): void {
    for (const check of this.#waiters) if (check()) this.#waiters.delete(check);
  }

  #until(condition: () => boolean, deadline: number): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const { clock } = this.#options;
      const done = () => {
        cancel();
        this.#waiters.delete(check);
        resolve();
        return true;
      };
      const check = () => condition() && done();
      const cancel = clock.after(Math.max(0, deadline - clock.now()), done);
      this.#waiters.add(check);
    });
  }
}
