import {
  type Connection,
  type ConsumerSink,
  type ConsumeSpec,
  type Provision,
  type Provisioned,
  type TopicSpec,
  type TransportAdmin,
  type TransportContext,
  type TransportHealth,
  type TransportPublisher,
  toError,
  type WaitOptions,
  WaybillError,
} from "@waybill/core/transport";
import { createAdmin } from "./admin.ts";
import { KafkaDeadLetters } from "./dead-letters.ts";
import type { Engine, EngineProducer } from "./engine.ts";
import { guardSink } from "./guarded-sink.ts";
import { delayOf } from "./names.ts";
import { provision } from "./provision.ts";
import { KafkaPublisher } from "./publisher.ts";
import { persist } from "./retry.ts";
import { Subscriber, subscriptionOf } from "./subscriber.ts";

export interface ConnectionOptions {
  readonly context: TransportContext;
  readonly engine: Engine;
  readonly maxMessageBytes: number;
  readonly compressed: boolean;
}

/** A bus's tie to a Kafka cluster. */
export class KafkaConnection implements Connection {
  readonly admin: TransportAdmin;
  readonly #context: TransportContext;
  readonly #engine: Engine;
  readonly #options: ConnectionOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #publishers = new Set<KafkaPublisher>();
  /** What dead letters are removed by, once some were. */
  #remover: EngineProducer | undefined;
  readonly #closing = new AbortController();
  /** Why the cluster did not answer when it was asked last. */
  #unreachable: string | undefined;
  /** Why nothing can be published now, by purpose. */
  readonly #publishing = new Map<string, string>();
  #closed: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#engine = options.engine;
    const { engine, context } = options;
    const persist = <T>(what: string, action: () => Promise<T>, wait?: WaitOptions) => this.#persist(what, action, wait);
    const deadLetters = {
      admin: engine.admin,
      clock: context.clock,
      reader: () => engine.reader(),
      producer: () => {
        this.#remover ??= engine.producer(() => {});
        return this.#remover;
      },
      persist,
    };
    this.admin = createAdmin(engine.admin, persist, (topic, group) => new KafkaDeadLetters(topic, group, deadLetters));
  }

  ready(options: WaitOptions): Promise<void> {
    return this.#persist("Kafka does not take the connection", () => this.#engine.admin.ping(), options);
  }

  async provision(topic: TopicSpec, mode: Provision, options: WaitOptions): Promise<Provisioned> {
    const { partitions, drift } = await this.#provision(topic, mode, [], options);
    return { partitions, drift };
  }

  publisher(purpose: "publish" | "copy"): TransportPublisher {
    const { engine, maxMessageBytes, compressed } = this.#options;
    // A client a purpose: kafkajs sends one request a broker at a time.
    let up: boolean | undefined;
    const producer = engine.producer((now, error) => {
      if (now) this.#publishing.delete(purpose);
      else this.#publishing.set(purpose, `publishing has no connection: ${error?.message}`);
      if (purpose === "publish" && now !== up) this.#context.state("publish", now ? "connected" : "disconnected", error);
      up = now;
    });
    const { clock } = this.#context;
    const publisher = new KafkaPublisher({
      producer,
      clock,
      maxMessageBytes,
      compressed,
      limitOf: (topic) => this.#limitOf(topic),
    });
    this.#publishers.add(publisher);
    return publisher;
  }

  consume(spec: ConsumeSpec, sink: ConsumerSink): Subscriber {
    const subscriber: Subscriber = new Subscriber({
      spec,
      sink: guardSink(sink, this.#context.logger),
      engine: this.#engine,
      context: this.#context,
      prepare: async (signal) => {
        const { provision, group, delays } = spec;
        const topic = { ...spec.topic, groups: [group] };
        await this.ready({ signal });
        const { partitions, missing } = await this.#provision(topic, provision, delays, { signal });
        const own = subscriptionOf(spec).filter((name) => !missing.includes(name));
        return { partitions, topics: [...new Set([...own, ...(await this.#delayed(topic.name, group, signal))])] };
      },
      onClose: () => void this.#subscribers.delete(subscriber),
    });
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  health(): TransportHealth {
    const consuming = [...this.#subscribers].flatMap(({ problem }) => problem ?? []);
    const reach = [this.#unreachable ?? [], [...this.#publishing.values()]].flat();
    const problems = [...new Set([...reach, ...consuming])];
    return { status: problems.length === 0 ? "up" : reach.length > 0 ? "down" : "degraded", problems };
  }

  close({ deadline }: { readonly deadline: number }): Promise<void> {
    this.#closed ??= this.#close(deadline);
    return this.#closed;
  }

  sever(): void {
    this.#closing.abort(closed());
    for (const subscriber of this.#subscribers) subscriber.sever();
    this.#engine.sever();
  }

  async #close(deadline: number): Promise<void> {
    this.#closing.abort(closed());
    await Promise.all([...this.#subscribers].map((subscriber) => subscriber.close({ deadline })));
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
    await this.#remover?.close(deadline);
    await this.#engine.close(deadline);
  }

  #provision(topic: TopicSpec, mode: Provision, delays: readonly number[], { signal }: WaitOptions) {
    const { engine, maxMessageBytes } = this.#options;
    const what = `Topic ${topic.name} cannot be provisioned`;
    return this.#persist(what, () => provision(engine.admin, topic, { mode, delays, maxMessageBytes }), { signal });
  }

  /** All that hold messages back for a group: delays that it does not use any more may still have some. */
  async #delayed(topic: string, group: string, signal: AbortSignal): Promise<readonly string[]> {
    const what = `Delayed messages of ${topic} cannot be looked for`;
    const topics = await this.#persist(what, () => this.#engine.admin.topics(), { signal });
    return topics.map(({ name }) => name).filter((name) => delayOf(topic, group, name) !== undefined);
  }

  async #limitOf(topic: string): Promise<number | undefined> {
    try {
      const limit = Number((await this.#engine.admin.config(topic))["max.message.bytes"]);
      return Number.isFinite(limit) ? limit : undefined;
    } catch {
      return undefined;
    }
  }

  async #persist<T>(what: string, action: () => Promise<T>, { signal }: WaitOptions = {}): Promise<T> {
    const result = await persist(action, {
      what,
      clock: this.#context.clock,
      signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
      failed: (error) => {
        this.#unreachable = `Kafka does not answer: ${toError(error).message}`;
      },
    });
    this.#unreachable = undefined;
    return result;
  }
}

function closed(): WaybillError {
  return new WaybillError("WAYBILL_CLOSED", "The connection to Kafka was closed.");
}
