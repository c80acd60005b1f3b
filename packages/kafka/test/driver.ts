import { randomUUID } from "node:crypto";
import {
  type Connection,
  type ConsumerSink,
  type ConsumeSpec,
  type Envelope,
  type Incoming,
  type Outcome,
  type Settlement,
  type Source,
  silentLogger,
  systemClock,
  type TopicSpec,
  type TransportContext,
  type WaybillError,
} from "@waybill/core/transport";
import { onTestFinished } from "vitest";
import { type KafkaOptions, kafka } from "../src/index.ts";

/** A topic that no other test has. */
export function topicSpec(options: Partial<TopicSpec> = {}): TopicSpec {
  const name = `test-${randomUUID().slice(0, 8)}.orders`;
  return { name, keyed: true, partitions: 2, retention: undefined, groups: [], unrouted: "reject", ...options };
}

export function envelope(body: string, options: Partial<Envelope> = {}): Envelope {
  const attributes = { id: randomUUID(), source: "/test", type: "test" };
  const bytes = new TextEncoder().encode(body);
  return { attributes, contentType: "text/plain", key: undefined, body: bytes, timestamp: Date.now(), headers: [], ...options };
}

/** A connection that ends with the test. */
export function connect(options: KafkaOptions, context: Partial<TransportContext> = {}): Connection {
  const connection = kafka(options).connect({ app: "test", logger: silentLogger, clock: systemClock, state() {}, ...context });
  onTestFinished(() => connection.close({ deadline: Date.now() + 5_000 }));
  return connection;
}

/** Publishes one after the other, until all are stored. */
export async function publish(
  connection: Connection,
  topic: TopicSpec,
  bodies: readonly string[],
  partition = 0,
): Promise<readonly Outcome[]> {
  const publisher = connection.publisher("publish");
  const to = { kind: "topic", topic, partition } as const;
  const outcomes = await publisher.publish(
    to,
    bodies.map((body) => envelope(body)),
    { deadline: Date.now() + 20_000 },
  );
  await publisher.close();
  for (const outcome of outcomes) if (outcome.stored !== true) throw outcome.error;
  return outcomes;
}

export function consumeSpec(topic: TopicSpec, options: Partial<ConsumeSpec> = {}): ConsumeSpec {
  const window = { messages: 1_000, bytes: 8_000_000 };
  return { topic, group: "g", from: "earliest", provision: "create", window, handover: 5_000, delays: [], ...options };
}

export interface Received {
  readonly source: Source;
  readonly message: Incoming;
  readonly body: string | undefined;
}

/** Records what the adapter says, and settles what comes unless told not to. */
export class RecordingSink implements ConsumerSink {
  readonly received: Received[] = [];
  readonly owned = new Map<string, Source>();
  readonly events: string[] = [];
  readonly gaps: string[] = [];
  readonly committed = new Map<string, string | undefined>();
  failure: WaybillError | undefined;
  readonly #autoSettle: boolean;
  readonly #settled = new Map<Source, number>();
  readonly #waiters = new Set<() => void>();
  /** Runs before `losing` resolves. */
  onLosing: (sources: readonly Source[]) => Promise<void> = async () => {};

  constructor({ settle = true }: { readonly settle?: boolean } = {}) {
    this.#autoSettle = settle;
  }

  gained(source: Source, info: { readonly committed: string | undefined; readonly gap: boolean }): void {
    this.owned.set(source.id, source);
    this.committed.set(source.id, info.committed);
    if (info.gap) this.gaps.push(source.id);
    this.#happened(`gained ${source.id}`);
  }

  batch(source: Source, messages: readonly Incoming[]): void {
    for (const message of messages) {
      this.received.push({ source, message, body: message.body === null ? undefined : Buffer.from(message.body).toString() });
    }
    const upTo = messages.at(-1)?.token;
    if (upTo !== undefined) this.#settled.set(source, upTo);
    if (this.#autoSettle) void source.settle({ upTo, singles: [] });
    this.#happened(`batch ${source.id}`);
  }

  async losing(sources: readonly Source[]): Promise<void> {
    this.#happened(`losing ${sources.length}`);
    await this.onLosing(sources);
    if (this.#autoSettle) await this.settleAll();
  }

  lost(sources: readonly Source[], why: string): void {
    for (const source of sources) if (this.owned.get(source.id) === source) this.owned.delete(source.id);
    this.#happened(`lost ${sources.length} ${why}`);
  }

  failed(error: WaybillError): void {
    this.failure = error;
    this.#happened("failed");
  }

  get bodies(): (string | undefined)[] {
    return this.received.map(({ body }) => body);
  }

  /** Settles all that came of the sources that are owned. */
  async settleAll(): Promise<("ok" | "fenced")[]> {
    const settlements = [...this.#settled].map(([source, upTo]): Promise<"ok" | "fenced"> => {
      const settlement: Settlement = { upTo, singles: [] };
      return source.settle(settlement);
    });
    return Promise.all(settlements);
  }

  /** Resolves when `condition` holds; it is looked at whenever something happens. */
  async until(condition: () => boolean, timeout = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        reject(new Error(`it did not come: ${condition}; ${this.events.join(", ")}`));
      }, timeout);
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
    });
  }

  #happened(event: string): void {
    this.events.push(event);
    for (const look of this.#waiters) look();
  }
}
