import { type Admin, BusAdmin } from "./admin.ts";
import type { Bus, Handler, HandlerMap, Health } from "./bus.ts";
import { type BusOptions, type ResolvedBus, resolveBus } from "./bus-options.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Route } from "./consume/attempt.ts";
import type { Batch } from "./consume/batch.ts";
import { type BatchOptions, type ConsumeOptions, resolveBatch, resolveConsume } from "./consume/options.ts";
import { Handout, type Puller } from "./consume/pull.ts";
import { RunningPuller } from "./consume/pulling.ts";
import { routeAll, routeOf } from "./consume/route.ts";
import type { RunningSubscription } from "./consume/running.ts";
import { assemble, type Request, type Shared } from "./consume/subscribe.ts";
import { currentHandling } from "./context.ts";
import { WaybillError } from "./errors.ts";
import { Events } from "./events.ts";
import { Link } from "./link.ts";
import type { Deliveries, Delivery } from "./message.ts";
import type { Plugin } from "./plugin.ts";
import { PublishPipeline } from "./publish/pipeline.ts";
import { Sender } from "./publish/sender.ts";
import type { Outgoing, PublishOptions, Receipt } from "./publisher.ts";
import type { Status, Subscription } from "./subscription.ts";
import type { EventTypes, Form, Topic } from "./topic.ts";
import { Topics } from "./topics.ts";
import { type Duration, toMilliseconds } from "./units.ts";

const CLOSE = 25_000;

type HandlersOf<E extends EventTypes, F extends Form> = Handler<Deliveries<E>> | HandlerMap<Topic<E, F>>;
type AnyHandler = Handler<never> | HandlerMap<Topic>;

/** The bus of {@link createBus}. */
export class WaybillBus implements Bus {
  readonly admin: Admin;
  readonly #options: ResolvedBus;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #link: Link;
  readonly #topics: Topics;
  readonly #plugins: Plugin[] = [];
  readonly #subscriptions = new Map<string, RunningSubscription | undefined>();
  /** Retry and dead-letter copies: never held back by what holds back publishing. */
  readonly #copies: Sender;
  readonly #sender: Sender;
  readonly #shared: Shared;
  readonly #pipeline: PublishPipeline;
  /** Aborted when the bus closes: nothing may go on waiting for the broker then. */
  readonly #closed = new AbortController();
  #used = false;
  #draining = false;
  #closing: Promise<void> | undefined;

  constructor(options: BusOptions, internals: { readonly clock?: Clock } = {}) {
    this.#options = resolveBus(options, process.env);
    const { app = "waybill", transport, prefix, provision, logger, maxInFlight } = this.#options;
    const clock = internals.clock ?? systemClock;
    const events = new Events(logger);
    const link = new Link({ transport, app, clock, events, logger });
    this.#clock = clock;
    this.#events = events;
    this.#link = link;
    const connection = () => {
      this.#used = true;
      return link.connection();
    };
    this.#topics = new Topics({ prefix, mode: provision, logger, connection, signal: this.#closed.signal });
    this.#copies = new Sender(link.publisher("copy"), { clock, logger });
    this.#sender = new Sender(link.publisher("publish"), { clock, logger, limits: maxInFlight });
    this.#pipeline = new PublishPipeline({
      app,
      clock,
      sender: this.#sender,
      capabilities: {
        get maxMessageBytes() {
          return link.capabilities?.maxMessageBytes;
        },
      },
      plugins: () => this.#plugins,
      provisioned: (topic) => this.#topics.live(topic),
      context: () => {
        const context = currentHandling();
        return context && { correlationId: context.correlationId, causationId: context.deliveryId };
      },
      emit: (name, event) => events.emit(name, event),
    });
    this.#shared = { bus: this, clock, events, logger, copies: this.#copies, plugins: this.#plugins, provision };
    this.admin = new BusAdmin({ prefix, connection, live: (topic) => this.#topics.live(topic), copies: this.#copies, clock });
  }

  // -------------------------------------------------------------- publishing

  publish<E extends EventTypes, F extends Form, K extends keyof E & string>(
    topic: Topic<E, F>,
    typeOrPayload: F extends "single" ? E[keyof E]["input"] : K,
    ...rest: F extends "single" ? [options?: PublishOptions] : [payload: E[K]["input"], options?: PublishOptions]
  ): Promise<Receipt> {
    const refused = this.#refused();
    if (refused !== undefined) return Promise.reject(refused);
    this.#used = true;
    if (topic.form === "single")
      return this.#pipeline.publish(topic, topic.name, typeOrPayload, rest[0] as PublishOptions | undefined);
    return this.#pipeline.publish(topic, typeOrPayload as string, rest[0], rest[1] as PublishOptions | undefined);
  }

  publishMany<E extends EventTypes, F extends Form>(
    topic: Topic<E, F>,
    messages: readonly Outgoing<E, F>[],
    options?: Pick<PublishOptions, "timeout" | "signal">,
  ): Promise<readonly Receipt[]> {
    const refused = this.#refused();
    if (refused !== undefined) return Promise.reject(refused);
    this.#used = true;
    return this.#pipeline.publishMany(topic, messages, options);
  }

  /** A bus that drains takes nothing more, but for the handlers that still run. */
  #refused(): WaybillError | undefined {
    const inHandler = currentHandling()?.bus === this && !this.#closed.signal.aborted;
    return this.#draining && !inHandler ? closedError() : undefined;
  }

  // -------------------------------------------------------------- consuming

  async subscribe<E extends EventTypes, F extends Form>(
    topic: Topic<E, F>,
    ...rest: [handler: HandlersOf<E, F>] | [options: ConsumeOptions, handler: HandlersOf<E, F>]
  ): Promise<Subscription> {
    const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest;
    return this.#consume(topic, options, routeOf(topic, handler as AnyHandler));
  }

  async subscribeBatch<E extends EventTypes>(
    topic: Topic<E>,
    options: BatchOptions,
    handler: (batch: Batch<Deliveries<E>>) => unknown,
  ): Promise<Subscription> {
    const { gathering, rest } = resolveBatch(topic, options);
    const batches = { gathering, handler: handler as (batch: Batch<Delivery>) => unknown };
    return this.#consume(
      topic,
      rest,
      routeAll(topic, () => {}),
      { batches },
    );
  }

  async pull<E extends EventTypes>(topic: Topic<E>, options: ConsumeOptions = {}): Promise<Puller<Deliveries<E>>> {
    const handout = new Handout(this.#clock);
    const route = routeAll(topic, (delivery) => handout.hand(delivery));
    const subscription = await this.#consume(topic, { concurrency: 1, ...options }, route, { handout });
    return new RunningPuller(subscription, handout) as unknown as Puller<Deliveries<E>>;
  }

  async #consume(
    topic: Topic,
    options: ConsumeOptions,
    route: Route,
    form: Pick<Request, "batches" | "handout"> = {},
  ): Promise<RunningSubscription> {
    if (this.#draining) throw closedError();
    this.#used = true;
    const { name: transport, capabilities } = await this.#link.transport();
    const resolved = resolveConsume(topic, options, this.#options.app, transport, capabilities);
    const { group } = resolved;
    const name = `${topic.name} ${group}`;
    if (this.#subscriptions.has(name)) {
      const message = `This bus has a subscription of "${group}" to "${topic.name}" already.`;
      throw new WaybillError("WAYBILL_SUBSCRIPTION_EXISTS", message, {
        topic: topic.name,
        group,
        hint: "Use one, with a map of handlers; or another group.",
      });
    }
    // The name is taken from now on, before there is a subscription to close.
    this.#subscriptions.set(name, undefined);
    try {
      const live = await this.#topics.live(topic);
      const connection = await this.#link.connection();
      const onClosed = () => this.#subscriptions.delete(name);
      const { subscription, start } = assemble(this.#shared, {
        topic,
        live,
        route,
        options: resolved,
        capabilities,
        ...form,
        onClosed,
      });
      this.#subscriptions.set(name, subscription);
      if (this.#draining) throw closedError();
      await start(connection);
      return subscription;
    } catch (error) {
      this.#subscriptions.delete(name);
      throw error;
    }
  }

  // -------------------------------------------------------------- life

  use(plugin: Plugin): this {
    if (this.#used) {
      const message = `The plugin "${plugin.name}" was added after the bus was used, so it would have missed some.`;
      throw new WaybillError("WAYBILL_USED_LATE", message, { hint: "Call use() before the first publish, subscribe or ready." });
    }
    this.#plugins.push(plugin);
    this.#events.add(plugin);
    return this;
  }

  async ready(options: { topics?: readonly Topic[]; timeout?: Duration; signal?: AbortSignal } = {}): Promise<void> {
    if (this.#draining) throw closedError();
    this.#used = true;
    const work = this.#ready(options.topics ?? []);
    const timeout = options.timeout === undefined ? undefined : milliseconds(options.timeout);
    await this.#bounded(work, timeout, options.signal);
  }

  async #ready(topics: readonly Topic[]): Promise<void> {
    const connection = await this.#link.connection();
    await connection.ready({ signal: this.#closed.signal });
    await Promise.all(topics.map((topic) => this.#topics.live(topic)));
  }

  async #bounded(work: Promise<void>, timeout: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise: given, reject } = Promise.withResolvers<never>();
    const cancel = this.#clock.after(timeout ?? 2 ** 31, () => {
      const problems = new Set([...this.#link.problems, ...(this.#link.live?.health().problems ?? [])]);
      const why = [...problems].map((problem) => ` ${problem.replace(/\.?$/, ".")}`).join("");
      reject(
        new WaybillError("WAYBILL_CONNECTION_FAILED", `The broker was not ready within ${timeout} ms.${why}`, {
          retryable: true,
        }),
      );
    });
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([work, given]);
    } finally {
      cancel();
      signal?.removeEventListener("abort", onAbort);
      work.catch(() => {});
    }
  }

  async health(): Promise<Health> {
    const subscriptions = [...this.#subscriptions.values()].flatMap((subscription) => subscription?.health() ?? []);
    const transport = this.#link.live?.health() ?? { status: "up" as const, problems: [] };
    const problems = [...transport.problems, ...this.#link.problems, ...subscriptions.flatMap((one) => one.problems)];
    const statuses: Status[] = [
      transport.status,
      this.#link.problems.length > 0 ? "degraded" : "up",
      ...subscriptions.map(({ status }) => status),
    ];
    if (this.#draining) problems.push("the bus is closed, or closing");
    return {
      status: this.#draining || statuses.includes("down") ? "down" : statuses.includes("degraded") ? "degraded" : "up",
      transport: (await this.#link.transport()).name,
      subscriptions: subscriptions.map(({ problems: _, ...subscription }) => subscription),
      problems: [...new Set(problems)],
    };
  }

  close(options: { timeout?: Duration } = {}): Promise<void> {
    if (currentHandling()?.bus === this) {
      const message = "A handler called close() of its own bus, which waits for that handler.";
      return Promise.reject(
        new WaybillError("WAYBILL_CLOSE_IN_HANDLER", message, { hint: "Close the bus from outside the handler." }),
      );
    }
    this.#draining = true;
    this.#closing ??= this.#close(options.timeout === undefined ? CLOSE : milliseconds(options.timeout));
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    const deadline = this.#clock.now() + timeout;
    const subscriptions = [...this.#subscriptions.values()].filter((subscription) => subscription !== undefined);
    const closed = await Promise.allSettled(subscriptions.map((subscription) => subscription.close({ timeout })));
    const flushed = await this.#flushed(deadline);
    this.#closed.abort(closedError());
    await Promise.allSettled([this.#pipeline.close(), this.#sender.close(), this.#copies.close()]);
    await this.#link.close(Math.max(deadline, this.#clock.now() + 1_000));
    const cut = closed.find((result) => result.status === "rejected");
    if (cut !== undefined) throw cut.reason;
    if (!flushed)
      throw new WaybillError(
        "WAYBILL_CLOSE_TIMEOUT",
        `The bus was not closed within ${timeout} ms: publishes were still on their way.`,
      );
  }

  /** Whether all publishes were answered before the deadline. */
  async #flushed(deadline: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => resolve(false));
    const all = Promise.all([this.#pipeline.flush(), this.#copies.flush()]).then(() => true);
    return Promise.race([all, late]).finally(cancel);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function milliseconds(duration: Duration): number {
  const ms = toMilliseconds(duration);
  if (ms !== undefined) return ms;
  throw new WaybillError("WAYBILL_CONFIG_INVALID", `"timeout" is ${JSON.stringify(duration)}, not a duration such as "25s".`);
}

function closedError(): WaybillError {
  return new WaybillError("WAYBILL_CLOSED", "The bus is closed.", { hint: "Make a new one." });
}
