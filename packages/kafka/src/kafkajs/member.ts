import type { Clock, Logger } from "@waybill/core/transport";
import kafkajs, { type Batch, type Consumer } from "kafkajs";
import { EngineError, type EngineMember, type MemberEvents, type MemberSpec, type TopicPartition } from "../engine.ts";
import { coAssigner } from "./assigner.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { toEngineError } from "./errors.ts";
import { FetchGate } from "./fetch-gate.ts";
import { type CommitTopic, type GroupCluster, Membership } from "./membership.ts";
import { toRecord } from "./record.ts";
import { createSockets, type Sockets } from "./sockets.ts";

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** One kafkajs consumer, from its first join to its end: it is never restarted. */
export class KafkajsMember implements EngineMember {
  readonly #events: MemberEvents;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sockets: Sockets = createSockets();
  readonly #consumer: Consumer;
  readonly #membership: Membership;
  readonly #gate: FetchGate;
  /** What the next batch of each started partition begins with, or lies behind. */
  readonly #next = new Map<string, number>();
  /** Of the latest generation. */
  #assignment: readonly TopicPartition[] = [];
  #ended = false;

  constructor(options: ClientOptions & { readonly clock: Clock }, spec: MemberSpec, events: MemberEvents) {
    const { settings, clock } = options;
    // At least three in a session, and often enough that a rebalance is noticed soon.
    const heartbeatInterval = Math.min(1_000, Math.floor(settings.sessionTimeout / 6));
    this.#events = events;
    this.#clock = clock;
    this.#logger = options.logger;
    this.#gate = new FetchGate(clock);
    this.#membership = new Membership({
      group: spec.group,
      heartbeatInterval,
      handover: spec.handover,
      clock,
      gate: this.#gate,
      revoking: (deadline) => {
        this.#next.clear();
        return events.revoking(deadline);
      },
      fenced: () => {
        this.#next.clear();
        events.fenced();
      },
      outOfRange: (topics) => this.#outOfRange(topics),
    });
    this.#consumer = createClient(options, this.#sockets).consumer({
      groupId: spec.group,
      allowAutoTopicCreation: false,
      partitionAssigners: [
        ({ cluster, groupId, logger }) => {
          this.#membership.attach(cluster as unknown as GroupCluster);
          const assigner = settings.assignor === "sticky" ? coAssigner(cluster, () => this.#assignment) : undefined;
          return assigner ?? kafkajs.PartitionAssigners.roundRobin({ cluster, groupId, logger });
        },
      ],
      sessionTimeout: settings.sessionTimeout,
      // Members that drain before they join again must be waited for.
      rebalanceTimeout: Math.max(30_000, spec.handover + settings.sessionTimeout),
      heartbeatInterval,
      metadataMaxAge: settings.metadataRefresh,
      // It bounds how far apart heartbeats are, and how long resuming takes where other partitions are being waited for.
      maxWaitTimeInMs: 200,
      maxBytesPerPartition: spec.maxBytesPerPartition,
      maxBytes: spec.maxBytes,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    });
    void this.#run(spec.topics);
  }

  start(of: TopicPartition, offset: number, paused: boolean): void {
    if (this.#ended) return;
    this.#next.set(keyOf(of), offset);
    this.#consumer.seek({ ...of, offset: String(offset) });
    if (paused) this.pause(of);
    else this.resume(of);
    this.#consumer.resume([{ topic: of.topic, partitions: [of.partition] }]);
  }

  pause(of: TopicPartition): void {
    this.#gate.hold(of);
  }

  resume(of: TopicPartition): void {
    this.#gate.release(of);
  }

  /** Until the next `start`; what is on its way is thrown away. */
  #stop({ topic, partition }: TopicPartition): void {
    this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  commit(
    generation: number,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): Promise<"ok" | "fenced" | "retry"> {
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
    return this.#membership.commit(
      generation,
      [...byTopic].map(([topic, partitions]) => ({
        topic,
        partitions: partitions.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
      })),
    );
  }

  async close(deadline: number): Promise<void> {
    this.#ended = true;
    this.#membership.close();
    this.#gate.clear();
    await this.#disconnect(deadline);
  }

  sever(): void {
    this.#ended = true;
    this.#membership.close();
    this.#gate.clear();
    this.#sockets.destroy();
    void this.#consumer.disconnect().catch(() => {});
  }

  async #run(topics: readonly string[]): Promise<void> {
    const consumer = this.#consumer;
    const { GROUP_JOIN, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => this.#assigned(payload.memberAssignment));
    consumer.on(CRASH, ({ payload }) => this.#fail(payload.error));
    try {
      await consumer.connect();
      // From the beginning always: with false, an offset out of range would jump to the end. Where to begin is said by `start`.
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch }) => this.#batch(batch),
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #assigned(assignment: Readonly<Record<string, number[]>>): void {
    const { joined } = this.#membership;
    if (this.#ended || joined === undefined || !this.#membership.own()) return;
    const partitions = Object.entries(assignment).flatMap(([topic, ids]) => ids.map((partition) => ({ topic, partition })));
    this.#assignment = partitions;
    this.#next.clear();
    // Before the first fetch of this generation, in the same turn.
    for (const of of partitions) this.#stop(of);
    this.#gate.clear();
    this.#events.assigned({ generation: joined.generationId, leader: joined.leaderId === joined.memberId, partitions });
  }

  /** Nothing may be thrown into the runner, whose count of errors never goes back. */
  #batch(batch: Batch): void {
    const of = { topic: batch.topic, partition: batch.partition };
    const next = this.#next.get(keyOf(of));
    const first = Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset);
    if (this.#ended || next === undefined) return;
    if (first < next) {
      // Asked for before `start`.
      this.#consumer.seek({ ...of, offset: String(next) });
      return;
    }
    this.#next.set(keyOf(of), Number(batch.lastOffset()) + 1);
    try {
      this.#events.batch(of, batch.messages.map(toRecord));
    } catch (error) {
      this.#logger.error({ error, ...of }, "a batch could not be taken");
    }
  }

  #outOfRange(topics: readonly CommitTopic[]): void {
    for (const { topic, partitions } of topics) {
      for (const { partition } of partitions) {
        const of = { topic, partition };
        if (!this.#ended) this.#stop(of);
        if (this.#next.delete(keyOf(of))) this.#events.outOfRange(of);
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#membership.close();
    this.#gate.clear();
    void this.#disconnect(this.#clock.now() + 1_000);
    this.#events.failed(error instanceof EngineError ? error : toEngineError(error));
  }

  async #disconnect(deadline: number): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), resolve);
    });
    await Promise.race([this.#consumer.disconnect().catch(() => {}), late]);
    cancel();
    // What kafkajs may still be trying ends by itself without them.
    this.#sockets.destroy();
  }
}
