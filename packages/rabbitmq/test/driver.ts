import { randomUUID } from "node:crypto";
import {
  type Connection,
  type ConsumerSink,
  type ConsumeSpec,
  type Envelope,
  type Incoming,
  type Logger,
  type Source,
  silentLogger,
  systemClock,
  type TopicSpec,
  type WaybillError,
} from "@waybill/core/transport";
import { type ChannelModel, connect } from "amqplib";
import { inject } from "vitest";
import { rabbitmq } from "../src/index.ts";
import type { RabbitmqOptions } from "../src/options.ts";

/** The brokers under test: what holds must hold on both. */
export const brokers = (["rabbitmq", "rabbitmq4"] as const).map((name) => ({ name, ...inject(name) }));

export const soon = (): number => Date.now() + 10_000;

export function topicSpec(over: Partial<TopicSpec> = {}): TopicSpec {
  const name = `test.${randomUUID().slice(0, 13)}`;
  return { name, keyed: true, partitions: 2, retention: undefined, groups: [], unrouted: "reject", ...over };
}

export function envelope(id: string, over: Partial<Envelope> = {}): Envelope {
  const attributes = { id, source: "test", type: "thing.happened", time: "2026-01-02T03:04:05.678Z" };
  return {
    attributes,
    contentType: "application/json",
    key: Buffer.from(id),
    body: Buffer.from(JSON.stringify(id)),
    timestamp: Date.parse(attributes.time),
    headers: [],
    ...over,
  };
}

/** A connection to the broker that ends with its test, topics included. */
export class Member implements AsyncDisposable {
  readonly connection: Connection;
  readonly states: string[] = [];
  readonly #consumers: { close(options: { deadline: number }): Promise<void> }[] = [];

  constructor(url: string, options: RabbitmqOptions = {}, logger: Logger = silentLogger) {
    this.connection = rabbitmq({ url, ...options }).connect({
      app: "test",
      logger,
      clock: systemClock,
      state: (role, state) => this.states.push(`${role} ${state}`),
    });
  }

  consume(topic: TopicSpec, sink: ConsumerSink, over: Partial<ConsumeSpec> = {}) {
    const consumer = this.connection.consume(
      {
        topic,
        group: "readers",
        from: "earliest",
        provision: "create",
        window: { messages: 1_000, bytes: 64 * 1_048_576 },
        handover: 5_000,
        delays: [],
        ...over,
      },
      sink,
    );
    this.#consumers.push(consumer);
    return consumer;
  }

  publish(topic: TopicSpec, partition: number, ...batch: Envelope[]) {
    return this.connection.publisher("publish").publish({ kind: "topic", topic, partition }, batch, { deadline: soon() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close({ deadline: soon() });
    await this.connection.close({ deadline: soon() });
  }
}

/** A sink that keeps what it is given, and settles at once unless told not to. */
export class Recorder implements ConsumerSink {
  readonly messages: Incoming[] = [];
  readonly log: string[] = [];
  readonly sources = new Map<string, Source>();
  failure: WaybillError | undefined;
  #changed: (() => void)[] = [];
  readonly #settle: boolean;

  constructor({ settle = true } = {}) {
    this.#settle = settle;
  }

  get bodies(): unknown[] {
    return this.messages.map(({ body }) => JSON.parse(Buffer.from(body ?? []).toString()));
  }

  gained(source: Source): void {
    this.sources.set(source.id, source);
    this.#note(`gained ${source.id.split("/")[1]}`);
  }

  batch(source: Source, messages: readonly Incoming[]): void {
    this.messages.push(...messages);
    if (this.#settle) void source.settle({ upTo: messages.at(-1)?.token, singles: [] });
    this.#note();
  }

  async losing(sources: readonly Source[]): Promise<void> {
    this.#note(`losing ${sources.map(({ partition }) => partition)}`);
  }

  lost(sources: readonly Source[], why: string): void {
    for (const source of sources) this.sources.delete(source.id);
    this.#note(`lost ${sources.map(({ partition }) => partition)} ${why}`);
  }

  failed(error: WaybillError): void {
    this.failure = error;
    this.#note("failed");
  }

  /** Resolves when it holds: asked whenever something was given. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      const next = Promise.withResolvers<void>();
      this.#changed.push(next.resolve);
      await next.promise;
    }
  }

  #note(entry?: string): void {
    if (entry !== undefined) this.log.push(entry);
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** A client of the broker that knows nothing of Waybill. */
export async function native(url: string): Promise<ChannelModel & AsyncDisposable> {
  const model = await connect(url);
  model.on("error", () => undefined);
  return Object.assign(model, { [Symbol.asyncDispose]: () => model.close().catch(() => undefined) });
}
