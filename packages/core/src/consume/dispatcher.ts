import type { Clock } from "../clock.ts";
import type { WaybillError } from "../errors.ts";
import type { ConsumerSink, Incoming, Source } from "../transport.ts";
import { Backlog } from "./backlog.ts";
import { Carried } from "./carried.ts";
import { Entry } from "./entry.ts";
import { Settler } from "./settler.ts";
import type { Gathering, Verdict } from "./verdict.ts";
import { Waiters } from "./waiters.ts";
import { SourceWindow } from "./window.ts";

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
  /** Batches instead of single entries. */
  readonly gathering?: (Gathering & { attempt(entries: readonly Entry[]): Promise<readonly Verdict[]> }) | undefined;
  /** Whether somebody wants another entry just now. {@link Dispatcher.poke} says that this may have changed. @default always */
  wanted?(): boolean;
  onFailed(error: WaybillError): void;
}

/**
 * The engine of a subscription: takes batches from sources, runs one attempt at a time for each key and `concurrency` in all, and settles what is
 * finished. It knows neither handlers nor brokers. The cost of a message does not depend on how many keys or messages there are.
 */
export class Dispatcher implements ConsumerSink {
  readonly #options: DispatcherOptions;
  readonly #windows = new Map<string, SourceWindow>();
  readonly #backlog: Backlog;
  readonly #running = new Set<Entry>();
  readonly #blocked = new Set<Entry>();
  readonly #carried = new Carried();
  readonly #settler: Settler;
  readonly #waiters: Waiters;
  #paused = false;
  #stopped = false;
  #pumping = false;
  /** Attempts, or batches of them, under way. */
  #slots = 0;
  #cancelGathering: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.keyed);
    this.#waiters = new Waiters(options.clock);
    this.#settler = new Settler(options.clock, options.settleEvery, options.singleSettlement);
  }

  // -------------------------------------------------------------- what the adapter calls

  gained(source: Source): void {
    const old = this.#windows.get(source.id);
    if (old !== undefined) this.lost([old.source]);
    const window = new SourceWindow(source);
    this.#windows.set(source.id, window);
    if (this.#paused) window.pause();
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
    await this.#waiters.until(() => windows.every((window) => window.active === 0 || window.state === "lost"), deadline);
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
      for (const entry of window.entries()) if (entry.state === "queued") this.#backlog.forget(entry);
    }
    this.#waiters.wake();
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
    for (const window of this.#windows.values()) window.pause();
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
    await this.#waiters.until(quiet, deadline);
    await this.#settler.flush(this.#windows.values());
    return quiet();
  }

  /** Nothing is started any more, for good. `reason` aborts the signals of handlers that still run. */
  stop(reason: unknown): void {
    this.#stopped = true;
    for (const window of this.#windows.values()) this.#dropWaiting(window);
    for (const entry of this.#running) entry.delivery?.abort(reason);
    this.#settler.close();
    this.#cancelGathering?.();
  }

  /** Entries that failed for good and keep their key, or their source, waiting. */
  get blocked(): ReadonlySet<Entry> {
    return this.#blocked;
  }

  /** Lets the lane of a blocked entry go on: with the entry once more, or past it. False where it does not block a lane. */
  release(entry: Entry, how: "retry" | "skip"): boolean {
    if (entry.window.state !== "owned" || !this.#blocked.delete(entry)) return false;
    entry.attempts = 0;
    if (how === "retry") {
      this.#backlog.putBack(entry);
    } else {
      entry.window.active++;
      this.#over(entry, true);
    }
    this.#pump();
    return true;
  }

  /** Somebody may want an entry now. */
  poke(): void {
    this.#pump();
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
    this.#backlog.add(entry);
  }

  /** Starts what may start. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { concurrency, gathering } = this.#options;
    while (this.#slots < concurrency && !this.#paused && !this.#stopped && (this.#options.wanted?.() ?? true)) {
      if (!(gathering === undefined ? this.#start() : this.#startBatch(gathering))) break;
    }
    this.#pumping = false;
  }

  #start(): boolean {
    const entry = this.#backlog.take();
    if (entry === undefined) return false;
    this.#slots++;
    this.#begin(entry);
    const verdict = this.#options.attempt(entry);
    if (verdict instanceof Promise) void verdict.then((late) => this.#ended([entry], [late]));
    else this.#ended([entry], [verdict]);
    return true;
  }

  /** Starts a batch if it would be full, or its first has waited long enough. */
  #startBatch(gathering: NonNullable<DispatcherOptions["gathering"]>): boolean {
    const first = this.#backlog.first();
    if (first === undefined) return false;
    const { clock } = this.#options;
    const left = first.since + gathering.wait - clock.now();
    if (this.#backlog.queued < gathering.messages && left > 0) {
      this.#cancelGathering ??= clock.after(left, () => {
        this.#cancelGathering = undefined;
        this.#pump();
      });
      return false;
    }
    const batch = this.#backlog.takeBatch(gathering);
    this.#slots++;
    for (const entry of batch) this.#begin(entry);
    void gathering.attempt(batch).then((verdicts) => this.#ended(batch, verdicts));
    return true;
  }

  #begin(entry: Entry): void {
    entry.startedAt = this.#options.clock.now();
    entry.window.active++;
    this.#running.add(entry);
  }

  #ended(entries: readonly Entry[], verdicts: readonly Verdict[]): void {
    this.#slots--;
    // First those that keep their place, so that whoever is before them finds them waiting.
    for (const [i, entry] of entries.entries()) if (verdicts[i] === "again") this.#again(entry);
    for (const [i, entry] of entries.entries()) if (verdicts[i] !== "again") this.#attempted(entry, verdicts[i] ?? "done");
    this.#pump();
  }

  #again(entry: Entry): void {
    this.#running.delete(entry);
    this.#backlog.putBack(entry);
    this.#inactive(entry);
  }

  #attempted(entry: Entry, verdict: Exclude<Verdict, "again">): void {
    this.#running.delete(entry);
    if (verdict === "done") {
      this.#over(entry, true);
    } else if (typeof verdict === "object" && "held" in verdict) {
      entry.state = "held";
      void verdict.held.then(
        () => this.#released(entry, true),
        () => this.#released(entry, false),
      );
    } else if (entry.window.state !== "owned" || this.#stopped) {
      // Its source was lost or is being handed over: the next owner tries again.
      this.#over(entry, false);
    } else if (typeof verdict === "string") {
      entry.state = "waiting";
      this.#blocked.add(entry);
      if (verdict === "stopped") entry.window.stop();
      this.#inactive(entry);
    } else {
      entry.state = "waiting";
      this.#inactive(entry);
      entry.cancelWait = this.#options.clock.after(verdict.retryIn, () => {
        entry.cancelWait = undefined;
        this.#backlog.putBack(entry);
        this.#pump();
      });
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
    this.#backlog.leave(entry);
    this.#inactive(entry);
    this.#settler.advanced(window);
    this.#limit(window);
  }

  #inactive(entry: Entry): void {
    entry.window.active--;
    this.#waiters.wake();
  }

  #dropWaiting(window: SourceWindow): void {
    for (const entry of window.entries()) {
      if (entry.state !== "waiting") continue;
      entry.cancelWait?.();
      entry.cancelWait = undefined;
      entry.state = "over";
      this.#blocked.delete(entry);
      this.#backlog.leave(entry);
    }
  }

  // -------------------------------------------------------------- bounds and waiting

  #limit(window: SourceWindow): void {
    if (!this.#paused) window.limit(this.#options.window, this.#windows.size);
  }

  #windowsOf(sources: readonly Source[]): SourceWindow[] {
    return sources.flatMap((source) => {
      const window = this.#windows.get(source.id);
      return window?.source === source ? [window] : [];
    });
  }
}
