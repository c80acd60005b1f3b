import type { Admin } from "./admin.ts";
import type { Batch } from "./consume/batch.ts";
import type { BatchOptions, ConsumeOptions } from "./consume/options.ts";
import type { Puller } from "./consume/pull.ts";
import type { Deliveries, Delivery } from "./message.ts";
import type { Plugin } from "./plugin.ts";
import type { Publisher } from "./publisher.ts";
import type { Status, Subscription, SubscriptionHealth } from "./subscription.ts";
import type { EventTypes, Form, Topic } from "./topic.ts";
import type { Duration } from "./units.ts";

/** Its promise is awaited, its value ignored. */
export type Handler<D> = (delivery: D) => unknown;

/** Some or all of a topic's events; `satisfies Required<HandlerMap<typeof orders>>` makes it exhaustive. */
export type HandlerMap<T extends Topic> =
  T extends Topic<infer E, "events"> ? { readonly [K in keyof E & string]?: Handler<Delivery<K, E[K]["output"]>> } : never;

/** What {@link Bus.health} says of a bus, its connections and its subscriptions, without asking the broker. */
export interface Health {
  readonly status: Status;
  /** The transport's name. */
  readonly transport: string;
  readonly subscriptions: readonly SubscriptionHealth[];
  /** One sentence each. */
  readonly problems: readonly string[];
}

/** A service's tie to its broker: publishes, subscribes, and closes in order. */
export interface Bus extends Publisher, AsyncDisposable {
  /**
   * Connects, and provisions and checks these topics, now instead of at first use. Waits for a broker that is down, until `timeout` or `signal`.
   * @default timeout none
   */
  ready(options?: { topics?: readonly Topic[]; timeout?: Duration; signal?: AbortSignal }): Promise<void>;

  /**
   * Calls `handler`, or the one of the event's type, for each message of a topic. A handler that returns settles the message; one that throws goes
   * through the retry policy and then to the dead letters. Resolves when nothing published from now on can be missed; waits for a broker that is
   * down. Rejects with `CONFIG_INVALID`, `UNSUPPORTED`, `SUBSCRIPTION_EXISTS`, `AUTHENTICATION_FAILED`, `NOT_AUTHORIZED`, `TOPIC_NOT_FOUND`.
   */
  subscribe<E extends EventTypes, F extends Form>(
    topic: Topic<E, F>,
    handler: Handler<Deliveries<E>> | HandlerMap<Topic<E, F>>,
  ): Promise<Subscription>;
  subscribe<E extends EventTypes, F extends Form>(
    topic: Topic<E, F>,
    options: ConsumeOptions,
    handler: Handler<Deliveries<E>> | HandlerMap<Topic<E, F>>,
  ): Promise<Subscription>;

  /**
   * Calls `handler` with batches. What it throws fails all of the batch; `batch.fail(item, error)` fails one. Order, retries and dead letters are as
   * with {@link subscribe}.
   */
  subscribeBatch<E extends EventTypes>(
    topic: Topic<E>,
    options: BatchOptions,
    handler: (batch: Batch<Deliveries<E>>) => unknown,
  ): Promise<Subscription>;

  /** Deliveries to be asked for one at a time, and settled by `ack()` or `nack()`. @default concurrency 1 */
  pull<E extends EventTypes>(topic: Topic<E>, options?: ConsumeOptions): Promise<Puller<Deliveries<E>>>;

  /** Adds a plugin around all publishing and consuming. Before first use only (`USED_LATE`). Returns the bus. */
  use(plugin: Plugin): this;
  readonly admin: Admin;
  health(): Promise<Health>;

  /**
   * Stops fetching, lets handlers finish, settles them, flushes publishes, disconnects. Final and idempotent. After `timeout` it cuts what is
   * left, releases everything, and rejects with `CLOSE_TIMEOUT`; within a handler it rejects with `CLOSE_IN_HANDLER`. @default timeout "25s"
   */
  close(options?: { timeout?: Duration }): Promise<void>;
}
