import { backoffDelay, type Clock, sleep } from "@waybill/core/transport";
import type { Message, Producer, RecordMetadata } from "kafkajs";
import { EngineError, type EngineProducer, type NewRecord, type Produced, type TopicPartition } from "../engine.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { compressionTypes } from "./codecs.ts";
import { brokerTypes, toEngineError } from "./errors.ts";
import { createSockets, type Sockets } from "./sockets.ts";

/** Between attempts that the broker may answer otherwise soon: a leader moves in one to five seconds. */
const AGAIN = { initial: 100, max: 1_000 };
/** How long a topic that nobody knows may be one that a broker has not heard of yet. */
const APPEAR = 5_000;

/** An idempotent producer of kafkajs, for as long as its numbering holds. */
interface Line {
  readonly producer: Producer;
  readonly sockets: Sockets;
  readonly connected: Promise<void>;
  /** Sends that are under way. */
  busy: number;
  /** Nothing new is sent by it. */
  retired: boolean;
}

/**
 * One producer after another. A send that failed is sent again, the same records by the same producer, so that the broker recognises them.
 * A producer must not outlive a send whose outcome stays unknown: it would give the same numbers to other records, and the broker would take
 * them for those it has and acknowledge what it never stored.
 */
export class KafkajsProducer implements EngineProducer {
  readonly #options: ClientOptions & { readonly clock: Clock };
  readonly #state: (up: boolean, error?: Error) => void;
  readonly #lines = new Set<Line>();
  #line: Line | undefined;
  #closed = false;

  constructor(options: ClientOptions & { readonly clock: Clock }, state: (up: boolean, error?: Error) => void) {
    this.#options = options;
    this.#state = state;
  }

  async produce(to: TopicPartition, records: readonly NewRecord[], deadline: number): Promise<Produced> {
    const { clock } = this.#options;
    const begun = clock.now();
    const messages = new OnePartition(records, to.partition);
    let failed: Exclude<Produced, { readonly stored: true }> | undefined;
    let maybe = false;
    let last: Line | undefined;
    for (let attempt = 1; !this.#closed; attempt++) {
      const line = this.#current();
      last = line;
      line.busy++;
      const outcome = await this.#attempt(line, to, messages, deadline);
      this.#release(line);
      if (outcome.stored === true) {
        this.#state(true);
        return outcome;
      }
      failed = outcome;
      if (outcome.error.kind === "connection" && !this.#closed) this.#state(false, outcome.error);
      maybe ||= outcome.stored === "unknown";
      const { error } = outcome;
      // A topic that is gone stays among those whose metadata kafkajs asks for, and fails every send of this producer.
      if (error.kind === "poisoned" || error.kind === "unknown-topic") this.#retire(line);
      const appearing = error.kind === "unknown-topic" && clock.now() - begun < APPEAR;
      if (!error.retriable && !appearing) break;
      const wait = backoffDelay(AGAIN, attempt);
      if (clock.now() + wait >= deadline) break;
      await sleep(clock, wait);
    }
    failed ??= { stored: false, error: new EngineError("connection", "no broker could be reached in time") };
    if (!maybe) return failed;
    // Given up, and perhaps stored.
    if (last !== undefined) this.#retire(last);
    return { ...failed, stored: "unknown" };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const line of this.#lines) line.sockets.destroy();
    await Promise.all([...this.#lines].map(({ producer }) => producer.disconnect().catch(() => {})));
    this.#lines.clear();
  }

  sever(): void {
    this.#closed = true;
    for (const { sockets } of this.#lines) sockets.destroy();
  }

  async #attempt(line: Line, to: TopicPartition, messages: Message[], deadline: number): Promise<Produced> {
    const { clock, settings } = this.#options;
    let sent = false;
    let late = false;
    const cancel = clock.after(Math.max(0, deadline - clock.now()), () => {
      late = true;
      // Nothing else ends a send of kafkajs, and one that went on after our answer could store its records behind newer ones.
      this.#retire(line);
      line.sockets.destroy();
    });
    try {
      await line.connected;
      sent = true;
      const compression = compressionTypes[settings.compression];
      const acks = await line.producer.send({ topic: to.topic, messages, acks: -1, timeout: 10_000, compression });
      return acknowledged(acks, to);
    } catch (cause) {
      if (brokerTypes(cause).includes("DUPLICATE_SEQUENCE_NUMBER")) return { stored: true, baseOffset: undefined };
      const error = late ? new EngineError("connection", "the broker did not answer in time", cause) : toEngineError(cause);
      if (!sent) this.#retire(line);
      return { stored: sent && mayBeStored(error, cause) ? "unknown" : false, error };
    } finally {
      cancel();
    }
  }

  #current(): Line {
    if (this.#line !== undefined) return this.#line;
    const sockets = createSockets();
    const producer = createClient(this.#options, sockets).producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: this.#options.settings.metadataRefresh,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 1_000 },
    });
    const connected = producer.connect();
    // Whoever sends hears of it.
    connected.catch(() => {});
    const line: Line = { producer, sockets, connected, busy: 0, retired: false };
    this.#lines.add(line);
    this.#line = line;
    return line;
  }

  #retire(line: Line): void {
    line.retired = true;
    if (this.#line === line) this.#line = undefined;
    this.#dispose(line);
  }

  #release(line: Line): void {
    line.busy--;
    this.#dispose(line);
  }

  #dispose(line: Line): void {
    if (!line.retired || line.busy > 0 || !this.#lines.delete(line)) return;
    line.sockets.destroy();
    void line.producer.disconnect().catch(() => {});
  }
}

/**
 * kafkajs can resolve without having sent what it was given (https://github.com/tulios/kafkajs/issues/1303): only an acknowledgement of this very
 * partition without an error counts.
 */
function acknowledged(acks: readonly (RecordMetadata | null)[], to: TopicPartition): Produced {
  const ack = acks.find((one) => one?.topicName === to.topic && one.partition === to.partition);
  if (ack?.errorCode === 0)
    return { stored: true, baseOffset: ack.baseOffset === undefined ? undefined : Number(ack.baseOffset) };
  if (!ack) {
    // What kafkajs knows of the topic has no such partition, so it has sent nothing. It may have been added since.
    return { stored: false, error: new EngineError("unknown-topic", `there is no partition ${to.partition} of ${to.topic}`) };
  }
  return {
    stored: "unknown",
    error: new EngineError("busy", `partition ${to.partition} of ${to.topic} answered ${ack.errorCode}`),
  };
}

/** Whether the broker may have appended what it did not acknowledge. Most answers say that it has not. */
function mayBeStored({ kind }: EngineError, cause: unknown): boolean {
  if (kind === "connection") return !brokerTypes(cause).length;
  if (kind !== "busy") return kind === "poisoned";
  const types = brokerTypes(cause);
  return types.length === 0 || types.includes("REQUEST_TIMED_OUT") || types.includes("NOT_ENOUGH_REPLICAS_AFTER_APPEND");
}

/**
 * Messages of one partition, for which kafkajs has nothing to group: its own grouping copies all that it has so far for each message
 * (https://github.com/tulios/kafkajs/blob/v2.2.4/src/producer/groupMessagesPerPartition.js).
 */
class OnePartition extends Array<Message> {
  /** What is made of it is an array like any other. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  readonly #partition: number;

  constructor(records: readonly NewRecord[], partition: number) {
    super();
    this.#partition = partition;
    for (const record of records) this.push(toMessage(record, partition));
  }

  override reduce<T>(): T {
    return { [this.#partition]: this } as T;
  }
}

function toMessage(record: NewRecord, partition: number): Message {
  // A header may have any name, `__proto__` too.
  const headers: Record<string, string | Buffer | (string | Buffer)[]> = Object.create(null);
  for (const [name, given] of record.headers) {
    const value = typeof given === "string" ? given : toBuffer(given);
    const other = headers[name];
    headers[name] = other === undefined ? value : Array.isArray(other) ? [...other, value] : [other, value];
  }
  return {
    partition,
    headers,
    key: record.key === null ? null : toBuffer(record.key),
    value: record.value === null ? null : toBuffer(record.value),
    timestamp: String(record.timestamp),
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
