import { randomUUID } from "node:crypto";
import {
  type Connection,
  type ConsumerSink,
  type ConsumeSpec,
  type Envelope,
  type Incoming,
  type Source,
  silentLogger,
  systemClock,
  type TopicSpec,
  type TransportContext,
} from "@waybill/core/transport";
import type { Why } from "../src/member.ts";
import { type MemoryOptions, resolveOptions } from "../src/options.ts";
import { MemoryTransport } from "../src/transport.ts";

/** A memory transport whose broker a test can reach. */
export function transport(options: MemoryOptions = {}): MemoryTransport {
  return new MemoryTransport(resolveOptions({ sessionTimeout: 5, ...options }));
}

function context(over: Partial<TransportContext> = {}): TransportContext {
  return { app: "test", logger: silentLogger, clock: systemClock, state: () => {}, ...over };
}

export function spec(over: Partial<TopicSpec> = {}): TopicSpec {
  return { name: `t.${randomUUID()}`, keyed: true, partitions: 2, retention: undefined, groups: [], unrouted: "reject", ...over };
}

export function envelope(body: string, over: Partial<Envelope> = {}): Envelope {
  return {
    attributes: { id: randomUUID() },
    contentType: "text/plain",
    key: undefined,
    body: Buffer.from(body),
    timestamp: Date.now(),
    headers: [],
    ...over,
  };
}

/** Publishes texts to one partition, and answers with their outcomes. */
export function publish(connection: Connection, topic: TopicSpec, texts: readonly string[], partition = 0) {
  const batch = texts.map((text) => envelope(text));
  return connection.publisher("publish").publish({ kind: "topic", topic, partition }, batch, { deadline: Date.now() + 5_000 });
}

/** A sink that records what it is told, and settles when it is told to. */
export class Recorder implements ConsumerSink {
  readonly owned = new Set<Source>();
  readonly received: { source: Source; message: Incoming; text: string }[] = [];
  readonly events: string[] = [];
  readonly lostWhy: Why[] = [];
  readonly gains: { source: Source; committed: string | undefined; gap: boolean }[] = [];
  failure: Error | undefined;
  /** What `losing` waits for. */
  handover: () => Promise<void> = async () => {};
  /** Settles each batch as it comes. */
  readonly settles: boolean;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];

  constructor({ settles = true } = {}) {
    this.settles = settles;
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  gained(source: Source, info: { committed: string | undefined; gap: boolean }): void {
    this.owned.add(source);
    this.gains.push({ source, ...info });
    this.#note(`gained ${source.partition}`);
  }

  batch(source: Source, messages: readonly Incoming[]): void {
    for (const message of messages) {
      this.received.push({ source, message, text: Buffer.from(message.body ?? []).toString() });
    }
    if (this.settles) void source.settle({ upTo: messages.at(-1)?.token, singles: [] });
    this.#note(`batch ${source.partition}`);
  }

  async losing(sources: readonly Source[]): Promise<void> {
    this.#note(`losing ${sources.map(({ partition }) => partition)}`);
    await this.handover();
  }

  lost(sources: readonly Source[], why: Why): void {
    for (const source of sources) this.owned.delete(source);
    this.lostWhy.push(why);
    this.#note(`lost ${sources.map(({ partition }) => partition)} ${why}`);
  }

  failed(error: Error): void {
    this.failure = error;
    this.#note("failed");
  }

  /** Resolves once `until` holds, which is asked after each call. */
  when(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until, resolve }));
  }

  #note(event: string): void {
    this.events.push(event);
    const met = this.#waiting.filter(({ until }) => until());
    this.#waiting = this.#waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve();
  }
}

/** Joins a group and waits until nothing can be missed. */
export async function join(connection: Connection, sink: ConsumerSink, over: Partial<ConsumeSpec> & Pick<ConsumeSpec, "topic">) {
  const consumer = connection.consume(
    {
      group: "g",
      from: "earliest",
      provision: "create",
      window: { messages: 1_000, bytes: 1_000_000 },
      handover: 5_000,
      delays: [],
      ...over,
    },
    sink,
  );
  await consumer.ready;
  return consumer;
}

/** A connection that is closed at the end of its block. */
export function connect(transport: MemoryTransport, over: Partial<TransportContext> = {}): Connection & AsyncDisposable {
  const connection = transport.connect(context(over));
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close({ deadline: Date.now() + 1_000 }) });
}
