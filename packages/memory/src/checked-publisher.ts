import { json, type Message, PayloadInvalidError, type Topic } from "@waybill/core";
import {
  type Destination,
  type Envelope,
  type Outcome,
  type TransportPublisher,
  toError,
  WaybillError,
} from "@waybill/core/transport";

/** What a test bus learns from what is published. */
export interface Watcher {
  /** The contract of a topic, by its name on the broker. */
  topicOf(name: string): Topic | undefined;
  /** A message stands in its topic. */
  stored(topic: Topic, message: Message): void;
  /** These are stored, or refused for good; those will be tried again when the clock is moved. */
  answered(envelopes: readonly Envelope[], outcomes: readonly Outcome[]): void;
}

/**
 * Publishes only what a handler would get back: each message is decoded and validated as it would be on the other side, so that a `Date` that
 * JSON turns into text, or a `Map` that it loses, fails in the test.
 */
export class CheckedPublisher implements TransportPublisher {
  readonly #inner: TransportPublisher;
  readonly #watcher: Watcher;

  constructor(inner: TransportPublisher, watcher: Watcher) {
    this.#inner = inner;
    this.#watcher = watcher;
  }

  async publish(
    to: Destination,
    batch: readonly Envelope[],
    options: { readonly deadline: number },
  ): Promise<readonly Outcome[]> {
    const topic = this.#watcher.topicOf(to.topic.name);
    if (to.kind !== "topic" || topic === undefined) return this.#inner.publish(to, batch, options);
    const checked = await Promise.all(batch.map((envelope) => receive(topic, envelope)));
    const good = batch.filter((_, i) => !(checked[i] instanceof WaybillError));
    const stored = good.length === 0 ? [] : await this.#inner.publish(to, good, options);
    let next = 0;
    const outcomes = checked.map((message): Outcome => {
      if (message instanceof WaybillError) return { stored: false, retry: false, error: message };
      const outcome = stored[next++] as Outcome;
      if (outcome.stored === true) this.#watcher.stored(topic, message);
      return outcome;
    });
    this.#watcher.answered(batch, outcomes);
    return outcomes;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** The message as a handler would get it, or why none would. */
async function receive(topic: Topic, envelope: Envelope): Promise<Message | WaybillError> {
  const { attributes, key, body, headers, timestamp } = envelope;
  const { id = "", source = "", type = topic.name } = attributes;
  const refuse = (why: string) =>
    `The payload of "${type}" for topic "${topic.name}" does not survive the way to a handler: ${why}.`;
  const schema = topic.schemas[topic.form === "single" ? topic.name : type];
  let payload: unknown;
  try {
    payload = await (topic.options.codec ?? json).decode(body ?? new Uint8Array(), { topic: topic.name, type });
  } catch (error) {
    return new WaybillError("WAYBILL_DECODE_FAILED", refuse(toError(error).message), { topic: topic.name, cause: error });
  }
  const result = await schema?.["~standard"].validate(payload);
  if (result?.issues !== undefined) {
    const issues = result.issues.map(({ path = [], message }) => `${path.map((part) => keyOf(part)).join(".")}: ${message}`);
    return new PayloadInvalidError(refuse(issues.join("; ")), result.issues, {
      topic: topic.name,
      hint: "Handlers validate what the codec has made of it: let the schema take that, such as text for a date.",
    });
  }
  return {
    id,
    source,
    type,
    payload: result === undefined ? payload : result.value,
    key: key && Buffer.from(key).toString(),
    headers: textHeaders(headers),
    timestamp: new Date(timestamp),
    correlationId: attributes.correlationid,
    causationId: attributes.causationid,
  };
}

function keyOf(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === "object" ? part.key : part);
}

/** Headers that are strings, by name. */
function textHeaders(headers: Envelope["headers"]): Record<string, string> {
  return Object.fromEntries(headers.filter((header): header is [string, string] => typeof header[1] === "string"));
}
