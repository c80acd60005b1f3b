import type { Message } from "../message.ts";
import type { PublishOptions } from "../publisher.ts";
import type { Topic } from "../topic.ts";
import { checkHeaders, checkId, checkTimestamp } from "./options.ts";
import { isPromise } from "./promise.ts";
import { keyFor, typeOf, validatePayload } from "./validate.ts";

/** A message of a caller: its type and payload unchecked. */
export type OutgoingMessage = { readonly type?: string | undefined; readonly payload: unknown } & Omit<
  PublishOptions,
  "timeout" | "signal"
>;

/** What a message has that its caller did not give. */
export interface Defaults {
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly nextId: (now: number) => string;
  /** What the running handler passes on. */
  readonly context: Pick<Message, "correlationId" | "causationId"> | undefined;
}

/**
 * The message to send: everything checked, the payload as it was given (Standard Schema validates one way, so only inputs travel), the key from
 * the validated payload. Asynchronous only where the schema is. `where` is a place in the call, for errors.
 */
export function compose(topic: Topic, given: OutgoingMessage, defaults: Defaults, where = ""): Message | PromiseLike<Message> {
  const { context, now } = defaults;
  const { payload } = given;
  const type = typeOf(topic, given.type);
  const id = given.id === undefined ? defaults.nextId(now) : checkId("id", given.id);
  const headers = checkHeaders(topic.name, given.headers);
  const timestamp = given.timestamp === undefined ? new Date(now) : checkTimestamp(given.timestamp);
  const correlationId =
    given.correlationId === undefined ? context?.correlationId : checkId("correlationId", given.correlationId);
  const complete = ({ value }: { readonly value: unknown }): Message => ({
    id,
    source: defaults.source,
    type,
    payload,
    key: keyFor(topic, type, value, given.key, where),
    headers,
    timestamp,
    correlationId,
    causationId: context?.causationId,
  });
  const valid = validatePayload(topic, type, payload, where);
  return isPromise(valid) ? valid.then(complete) : complete(valid);
}
