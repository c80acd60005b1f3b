import type { EventTypes, Topic } from "./topic.ts";

/** String headers by name. Names are as they were published; of several with one name the last counts. */
export type Headers = Readonly<Record<string, string>>;

/** What is published. */
export interface Message<Type extends string = string, Payload = unknown> {
  /** Unique together with `source`: a UUIDv7 unless the publisher gave one (CloudEvents 1.0, "id"). */
  readonly id: string;
  /** The `app` of the publisher (CloudEvents 1.0, "source"). */
  readonly source: string;
  readonly type: Type;
  readonly payload: Payload;
  readonly key: string | undefined;
  readonly headers: Headers;
  readonly timestamp: Date;
  /** The same for all that one outside request set off. */
  readonly correlationId: string | undefined;
  /** Id of the message whose handler published this one. */
  readonly causationId: string | undefined;
}

/** A message as it reached a handler. */
export interface Delivery<Type extends string = string, Payload = unknown> extends Message<Type, Payload> {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  /** Where it stands in its partition (Kafka: the offset). Without a log, a number that only orders. */
  readonly position: string;
  /** Of the source's ownership: outside systems may use it to fence a member that was replaced while its handler ran. */
  readonly epoch: string;
  /** 1 for the first; counted in this process and in retry destinations, not over a crash. */
  readonly attempt: number;
  /** The broker says, or core knows, that it may have been handed out before. */
  readonly redelivered: boolean;
  /** Aborts at the handler's timeout and when the drain deadline has passed. */
  readonly signal: AbortSignal;
  /** What came over the wire. */
  readonly raw: { readonly body: Uint8Array; readonly native: unknown };
  /** Settles now; bound, so it can be destructured. The first settlement wins; the commit is coalesced. */
  readonly ack: () => void;
  /** As if the handler had thrown `reason`: the retry policy decides. */
  readonly nack: (reason?: unknown) => void;
}

type Types<E> = keyof E & string;

/** All messages of a topic, as a union over its events. */
export type MessageOf<T extends Topic> =
  T extends Topic<infer E> ? { [K in Types<E>]: Message<K, E[K]["output"]> }[Types<E>] : never;

/** All deliveries of a topic, as a union over its events. */
export type DeliveryOf<T extends Topic> = T extends Topic<infer E> ? Deliveries<E> : never;

/** The payload of one event, or of all. */
export type PayloadOf<T extends Topic, K extends string = string> = Extract<DeliveryOf<T>, { type: K }>["payload"];

/** {@link DeliveryOf} for event types. */
export type Deliveries<E extends EventTypes> = { [K in Types<E>]: Delivery<K, E[K]["output"]> }[Types<E>];
