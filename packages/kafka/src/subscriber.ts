import {
  backoffDelay,
  type ConsumerSink,
  type ConsumeSpec,
  RECONNECT,
  sleep,
  type TransportConsumer,
  type TransportContext,
  WaybillError,
} from "@waybill/core/transport";
import { type Engine, EngineError, type EngineMember, type MemberEvents, type TopicPartition } from "./engine.ts";
import { toWaybillError } from "./errors.ts";
import { delayName, groupId, retryName } from "./names.ts";
import { Ownership } from "./ownership.ts";

export interface SubscriberOptions {
  readonly engine: Engine;
  readonly spec: ConsumeSpec;
  readonly sink: ConsumerSink;
  readonly context: TransportContext;
  /** Makes, or looks for, what the group needs; the live names to subscribe to. Rejects where no retry can help. */
  prepare(signal: AbortSignal): Promise<{ readonly topics: readonly string[]; readonly partitions: number }>;
  onClose(): void;
}

/** One fetch of a partition: small enough for many partitions to share the window, large enough to be worth a request. */
const FETCH = { min: 64 * 1_024, max: 1_024 * 1_024 };

/**
 * A group of one topic, consumed for as long as it is open. A client that dies, and kafkajs's consumers do so for little, is replaced by another
 * after a while; what it had is lost, and comes again.
 */
export class Subscriber implements TransportConsumer {
  readonly ready: Promise<void>;
  readonly #options: SubscriberOptions;
  readonly #closing = new AbortController();
  readonly #closed: Promise<undefined>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #member: EngineMember | undefined;
  #ownership: Ownership | undefined;
  #joined = false;
  #problem: string | undefined = "has not joined yet";
  #epochs = 0;
  #up: boolean | undefined;
  /** As many as the topic is known to have. */
  #partitions = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.ready = this.#ready.promise;
    // A subscription that is closed before it was ready: nobody may be listening.
    this.ready.catch(() => {});
    this.#closed = new Promise((resolve) => {
      this.#closing.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    this.#running = this.#run();
  }

  /** Why nothing is consumed now, if so. */
  get problem(): string | undefined {
    const { topic, group } = this.#options.spec;
    return this.#problem === undefined ? undefined : `the consumer of ${topic.name} for group ${group} ${this.#problem}`;
  }

  async close({ deadline }: { readonly deadline: number }): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      this.#ready.reject(new WaybillError("WAYBILL_CLOSED", "The consumer was closed before it was ready."));
      this.#ownership?.lose("closed");
      this.#options.onClose();
    }
    await this.#member?.close(deadline);
    await this.#running;
  }

  /** As a process that is killed: what it holds it loses without a word, and settles no more. */
  sever(): void {
    this.#closing.abort();
    this.#ownership?.lose("connection");
  }

  async #run(): Promise<void> {
    const { context } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      this.#joined = false;
      const error = await this.#live(signal);
      if (signal.aborted || error === undefined) return;
      this.#state(false, error);
      this.#ownership = undefined;
      const failure = this.#fatal(error);
      if (failure !== undefined) {
        this.#problem = "has failed";
        this.#ready.reject(failure);
        this.#options.sink.failed(failure);
        return;
      }
      failures = this.#joined ? 1 : failures + 1;
      this.#problem = `is reconnecting: ${error.message}`;
      const { topic, group } = this.#options.spec;
      const fields = { topic: topic.name, group, error };
      if (this.#joined) context.logger.warn(fields, "the consumer was lost; another takes its place");
      else context.logger[failures === 1 ? "warn" : "debug"](fields, "the consumer cannot join yet; it goes on trying");
      await sleep(context.clock, backoffDelay(RECONNECT, failures), signal).catch(() => {});
    }
  }

  /** One member, from its making to its end. Resolves with why it ended. */
  async #live(signal: AbortSignal): Promise<Error | undefined> {
    const { engine, spec, prepare } = this.#options;
    try {
      const { topics, partitions } = await prepare(signal);
      if (signal.aborted) return undefined;
      this.#partitions = partitions;
      const share = Math.floor(spec.window.bytes / (2 * Math.max(1, partitions * topics.length)));
      const ended = Promise.withResolvers<EngineError>();
      const member = engine.member(
        {
          group: groupId(spec.topic.name, spec.group),
          topics,
          handover: spec.handover,
          maxBytesPerPartition: Math.min(FETCH.max, Math.max(FETCH.min, share)),
          maxBytes: Math.max(FETCH.min, Math.floor(spec.window.bytes / 2)),
        },
        this.#events(ended.resolve),
      );
      this.#member = member;
      const error = await Promise.race([ended.promise, this.#closed]);
      if (error === undefined) return undefined;
      this.#ownership?.lose("connection");
      await member.close(this.#options.context.clock.now() + 1_000);
      return error;
    } catch (error) {
      return error as Error;
    }
  }

  #events(failed: (error: EngineError) => void): MemberEvents {
    const { spec, sink, context, engine } = this.#options;
    return {
      failed,
      revoking: async (deadline) => {
        const ownership = this.#ownership;
        await ownership?.release(deadline);
        if (this.#ownership === ownership) this.#ownership = undefined;
      },
      fenced: () => this.#ownership?.lose("fenced"),
      assigned: (assignment) => {
        const member = this.#member;
        if (member === undefined || this.#closing.signal.aborted) return;
        this.#ownership?.lose("fenced");
        const epoch = `${spec.group}-${assignment.generation}-${++this.#epochs}`;
        const ownership = new Ownership({ spec, sink, context, member, assignment, epoch, failed, admin: engine.admin });
        this.#ownership = ownership;
        this.#joined = true;
        this.#grown(assignment.partitions);
        this.#state(true);
        void ownership.begin().then((reading) => {
          if (!reading || this.#ownership !== ownership) return;
          this.#problem = undefined;
          this.#ready.resolve();
        });
      },
      batch: (from, records) => this.#ownership?.batch(from, records),
      outOfRange: (of) => void this.#ownership?.outOfRange(of),
    };
  }

  /** Partitions were added: their dead letters, replays and delayed messages need partitions too. */
  #grown(assigned: readonly TopicPartition[]): void {
    const { spec, prepare, context } = this.#options;
    const own = assigned.filter(({ topic }) => topic === spec.topic.name);
    const least = Math.max(0, ...own.map(({ partition }) => partition + 1));
    if (least <= this.#partitions || spec.provision !== "create") return;
    this.#partitions = least;
    prepare(this.#closing.signal).catch((error: unknown) => {
      context.logger.warn(
        { topic: spec.topic.name, group: spec.group, error },
        "partitions were added, and not those of dead letters, replays and delayed messages",
      );
    });
  }

  #state(up: boolean, error?: Error): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#options.context.state("consume", up ? "connected" : "disconnected", error);
  }

  /** What another member would meet as well. */
  #fatal(error: Error): WaybillError | undefined {
    const { topic, group } = this.#options.spec;
    const failure = toWaybillError(error, `Group ${group} cannot consume ${topic.name}`, { topic: topic.name, group });
    // A topic that is gone is made again, or looked for, first.
    const again = failure.retryable || (error instanceof EngineError && error.kind === "unknown-topic");
    return again ? undefined : failure;
  }
}

/** What a group consumes: its topic, and what is for it alone. */
export function subscriptionOf({ topic, group, delays }: ConsumeSpec): readonly string[] {
  return [topic.name, retryName(topic.name, group), ...delays.map((ms) => delayName(topic.name, group, ms))];
}
