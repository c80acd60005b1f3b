import type { Clock } from "../clock.ts";
import { currentHandling } from "../context.ts";
import { toError, WaybillError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { BlockedDelivery, Status, Subscription, SubscriptionHealth } from "../subscription.ts";
import type { TransportConsumer } from "../transport.ts";
import { type Duration, toMilliseconds } from "../units.ts";
import type { Copies } from "./copies.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Watchdog } from "./watchdog.ts";

const DRAIN = 25_000;

export interface RunningOptions {
  readonly bus: object;
  readonly topic: string;
  readonly group: string;
  readonly clock: Clock;
  readonly events: Events;
  readonly dispatcher: Dispatcher;
  readonly copies: Copies;
  readonly watchdog: Watchdog;
  /** Called when no more is to be started for good. */
  onClosing?(): void;
  /** Aborted when nothing of this subscription may go on waiting. */
  readonly stopping: AbortController;
  /** Called once, whatever ended it. */
  onClosed(): void;
}

/** A dispatcher and its consumer, from subscribe to close. */
export class RunningSubscription implements Subscription {
  readonly topic: string;
  readonly group: string;
  readonly closed: Promise<Error | undefined>;
  readonly #o: RunningOptions;
  readonly #end: (error: Error | undefined) => void;
  #consumer: TransportConsumer | undefined;
  #closing: Promise<void> | undefined;
  #failure: WaybillError | undefined;

  constructor(options: RunningOptions) {
    this.#o = options;
    this.topic = options.topic;
    this.group = options.group;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#end = resolve;
  }

  /** Resolves when nothing published from now on can be missed. Rejects, and is closed, when the adapter refuses. */
  async start(consume: () => TransportConsumer): Promise<void> {
    try {
      this.#consumer = consume();
      await Promise.race([
        this.#consumer.ready,
        this.closed.then((error) => Promise.reject(error ?? closedError(this.topic, this.group))),
      ]);
    } catch (error) {
      this.#failure ??= error instanceof WaybillError ? error : undefined;
      await this.#shut(1_000).catch(() => {});
      throw error;
    }
  }

  /** It cannot go on: what was finished is settled, the rest is left to others. */
  fail(error: WaybillError): void {
    this.#failure ??= error;
    void this.#shut(DRAIN).catch(() => {});
  }

  pause(): void {
    this.#o.dispatcher.pause();
    this.#o.events.emit("paused", { topic: this.topic, group: this.group });
  }

  resume(): void {
    if (this.#closing !== undefined) return;
    this.#o.dispatcher.resume();
    this.#o.events.emit("resumed", { topic: this.topic, group: this.group });
  }

  async drain(options: { timeout?: Duration } = {}): Promise<void> {
    this.#refuseInHandler("drain");
    const quiet = await this.#o.dispatcher.drain(this.#o.clock.now() + duration(options.timeout));
    if (!quiet) throw this.#cut("drained", options.timeout);
  }

  close(options: { timeout?: Duration } = {}): Promise<void> {
    try {
      this.#refuseInHandler("close");
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#shut(duration(options.timeout));
  }

  #shut(timeout: number): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    const { dispatcher, clock, stopping, watchdog, onClosed } = this.#o;
    const deadline = clock.now() + timeout;
    this.#o.onClosing?.();
    const quiet = await dispatcher.drain(deadline);
    const cut = quiet ? undefined : this.#cut("closed", timeout);
    stopping.abort(cut ?? closedError(this.topic, this.group));
    dispatcher.stop(cut);
    watchdog.close();
    try {
      // Leaving in order takes a moment even when the handlers have used up their time.
      await this.#consumer?.close({ deadline: Math.max(deadline, clock.now() + 1_000) });
    } finally {
      onClosed();
      this.#end(this.#failure);
    }
    if (cut !== undefined) throw cut;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  health(): SubscriptionHealth & { readonly problems: readonly string[] } {
    const { dispatcher, copies, clock } = this.#o;
    const problems = [
      copies.problem,
      this.#blockedProblem(),
      this.#stuckProblem(),
      this.#failure && toError(this.#failure).message,
    ].filter((problem) => problem !== undefined);
    const { oldest, inFlight } = dispatcher;
    return {
      topic: this.topic,
      group: this.group,
      status: this.#failure !== undefined || dispatcher.blocked.size > 0 ? "down" : problems.length > 0 ? "degraded" : "up",
      inFlight,
      oldestMs: oldest === undefined ? 0 : clock.now() - oldest,
      problems,
    };
  }

  get status(): Status {
    return this.health().status;
  }

  get blocked(): readonly BlockedDelivery[] {
    return [...this.#o.dispatcher.blocked].flatMap(({ failure }) => failure ?? []);
  }

  release(id: string, how: "retry" | "skip" = "retry"): boolean {
    for (const entry of this.#o.dispatcher.blocked) {
      if (entry.failure?.delivery.id === id) return this.#o.dispatcher.release(entry, how);
    }
    return false;
  }

  #stuckProblem(): string | undefined {
    const { stuck } = this.#o.watchdog;
    return stuck === 0 ? undefined : `${stuck} handlers of group ${this.group} on ${this.topic} have not come back`;
  }

  #blockedProblem(): string | undefined {
    const { size } = this.#o.dispatcher.blocked;
    if (size === 0) return undefined;
    return `${size} ${size === 1 ? "message" : "messages"} of ${this.topic} failed for good, and what is behind waits in group ${this.group}`;
  }

  /** A handler that waits for its own end would wait for ever. */
  #refuseInHandler(what: string): void {
    if (currentHandling()?.bus !== this.#o.bus) return;
    const message = `A handler of group "${this.group}" called ${what}(), which waits for that handler.`;
    throw new WaybillError("WAYBILL_CLOSE_IN_HANDLER", message, {
      topic: this.topic,
      group: this.group,
      hint: `Call ${what}() without awaiting it from outside the handler.`,
    });
  }

  #cut(what: string, timeout: Duration | undefined): WaybillError {
    const message = `The subscription of "${this.group}" to "${this.topic}" was not ${what} within ${duration(timeout)} ms: ${this.#o.dispatcher.running.size} handlers still run.`;
    return new WaybillError("WAYBILL_CLOSE_TIMEOUT", message, {
      topic: this.topic,
      group: this.group,
      hint: "Their messages will be delivered again.",
    });
  }
}

function duration(timeout: Duration | undefined): number {
  const ms = timeout === undefined ? DRAIN : toMilliseconds(timeout);
  if (ms !== undefined) return ms;
  throw new WaybillError("WAYBILL_CONFIG_INVALID", `"timeout" is ${JSON.stringify(timeout)}, not a duration such as "25s".`);
}

function closedError(topic: string, group: string): WaybillError {
  return new WaybillError("WAYBILL_CLOSED", `The subscription of "${group}" to "${topic}" was closed.`, { topic, group });
}
