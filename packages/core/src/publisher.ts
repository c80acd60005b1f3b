import type { EventTypes, Form, Topic } from "./topic.ts";
import type { Duration } from "./units.ts";

/** Options of one publish. */
export interface PublishOptions {
  /** @default a UUIDv7 */
  id?: string | undefined;
  /** Overrides the topic's `key`; refused on a topic without one. */
  key?: string | undefined;
  /** Strings by name; one with the value `undefined` is left out. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** @default now */
  timestamp?: Date | undefined;
  /** @default that of the delivery being handled, else none */
  correlationId?: string | undefined;
  /** How long to wait for the broker's confirmation. @default "30s" */
  timeout?: Duration | undefined;
  /** Stops the wait; the call then rejects with the signal's reason, and the message may still be stored. */
  signal?: AbortSignal | undefined;
}

/** What a resolved publish gives: the message is stored durably. */
export interface Receipt {
  readonly id: string;
  readonly partition: number;
  /** Where it stands in the partition, where the broker says so. */
  readonly position: string | undefined;
}

type MessageOptions = Omit<PublishOptions, "timeout" | "signal">;

/** One message of a `publishMany`. */
export type Outgoing<E extends EventTypes, F extends Form> = F extends "single"
  ? { payload: E[keyof E]["input"] } & MessageOptions
  : { [K in keyof E & string]: { type: K; payload: E[K]["input"] } & MessageOptions }[keyof E & string];

/** What a service that only publishes depends on; a bus is one, an outbox within a transaction is another. */
export interface Publisher {
  /**
   * `publish(invoices, payload, options?)` on a topic with one schema, `publish(orders, type, payload, options?)` on one with events.
   *
   * Resolves when the broker has stored the message durably. Rejects with a {@link WaybillError} otherwise: `PAYLOAD_INVALID`, `KEY_INVALID`,
   * `HEADERS_INVALID` (nothing was sent), `MESSAGE_TOO_LARGE`, `UNROUTABLE`, `PUBLISH_REFUSED`, `PUBLISH_TIMEOUT`, `CLOSED`.
   * Messages of one key stand in the order of the calls.
   */
  publish<E extends EventTypes, F extends Form, K extends keyof E & string>(
    topic: Topic<E, F>,
    typeOrPayload: F extends "single" ? E[keyof E]["input"] : K,
    ...rest: F extends "single" ? [options?: PublishOptions] : [payload: E[K]["input"], options?: PublishOptions]
  ): Promise<Receipt>;

  /**
   * Publishes an array in its order. All are validated before any is sent; after that it is not atomic: a failure rejects with a
   * {@link PublishManyError} that has an outcome for each.
   */
  publishMany<E extends EventTypes, F extends Form>(
    topic: Topic<E, F>,
    messages: readonly Outgoing<E, F>[],
    options?: Pick<PublishOptions, "timeout" | "signal">,
  ): Promise<readonly Receipt[]>;
}
