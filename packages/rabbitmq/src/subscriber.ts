import {
  backoffDelay,
  type ConsumerSink,
  type ConsumeSpec,
  RECONNECT,
  sleep,
  type TransportConsumer,
  type TransportContext,
  toError,
  WaybillError,
} from "@waybill/core/transport";
import type { ChannelModel } from "amqplib";
import { abortable } from "./abortable.ts";
import { atMost } from "./at-most.ts";
import { closedError, operationError, REPLY, replyCode } from "./errors.ts";
import { Feed } from "./feed.ts";
import type { Link } from "./link.ts";
import { Membership } from "./membership.ts";
import { partitionQueue } from "./names.ts";
import { type Part, partsOf } from "./ownership.ts";
import type { Provisioner } from "./provisioner.ts";

/** How often the roster is read. */
const LOOK = 250;
/** How long a backup that is active waits for the owner before it gives the queue back; it doubles while nobody takes it. */
const PATIENCE = { initial: 2 * LOOK, max: 16_000 };

/** How many times over its budget of bytes a group may be, should every message be as large as allowed. With less, small ones would be held up. */
const LARGE = 4;

/** One member of one group: keeps its topology, its place among the members, and a feed for each queue that it should consume. */
export class RabbitmqConsumer implements TransportConsumer {
  readonly #link: Link;
  readonly #provisioner: Provisioner;
  readonly #context: TransportContext;
  readonly #spec: ConsumeSpec;
  readonly #sink: ConsumerSink;
  readonly #maxMessageBytes: number;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  readonly #feeds = new Map<number, Feed>();
  /** How often each partition was given back as a backup without the owner taking it. */
  readonly #returned = new Map<number, number>();
  readonly #running: Promise<void>;
  #membership: Membership | undefined;
  #problem: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    link: Link,
    provisioner: Provisioner,
    context: TransportContext,
    spec: ConsumeSpec,
    sink: ConsumerSink,
    maxMessageBytes: number,
  ) {
    this.#link = link;
    this.#provisioner = provisioner;
    this.#context = context;
    this.#spec = spec;
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
    this.#ready.promise.catch(() => undefined);
    this.#running = this.#run();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** What keeps this member from sharing as it should. */
  get problem(): string | undefined {
    return this.#problem;
  }

  close({ deadline }: { readonly deadline: number }): Promise<void> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  /** As a killed process: the connection is destroyed by the caller. */
  sever(): void {
    this.#stop.abort(closedError());
    for (const feed of this.#feeds.values()) feed.sever();
  }

  async #close(deadline: number): Promise<void> {
    this.#stop.abort(closedError());
    this.#ready.reject(closedError());
    const { clock } = this.#context;
    const left = () => Math.max(0, deadline - clock.now());
    // What the loop is doing may hang with the broker.
    await atMost(left(), clock, this.#running);
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close(deadline)));
    await this.#membership?.leave(left());
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Never rejects. A failure that no retry can cure ends it through the sink. */
  async #run(): Promise<void> {
    for (let attempt = 1; !this.#stopped; attempt++) {
      try {
        const model = await abortable(this.#link.up(), this.#stop.signal);
        const gone = new Promise<void>((resolve) => model.once("close", () => resolve()));
        const partitions = await this.#join(model);
        attempt = 0;
        while (!this.#stopped && !(await this.#turn(model, partitions, gone)));
      } catch (cause) {
        if (this.#stopped) return;
        const error = operationError(cause, "Consuming failed", { topic: this.#spec.topic.name, group: this.#spec.group });
        // What was deleted under us is declared again by the next round.
        const restorable = error.code === "WAYBILL_TOPIC_NOT_FOUND" && this.#spec.provision === "create";
        if (!error.retryable && !restorable) return this.#fail(error);
        this.#context.logger.warn(
          { err: error, topic: error.topic, group: error.group },
          "Consuming was interrupted and goes on",
        );
        await this.#pause(backoffDelay(RECONNECT, attempt + 1));
      }
    }
  }

  #fail(error: ReturnType<typeof operationError>): void {
    this.#stop.abort(error);
    this.#ready.reject(error);
    for (const feed of this.#feeds.values()) void feed.close(this.#context.clock.now());
    this.#sink.failed(error);
  }

  /** Declares what is missing and takes a place in the group. */
  async #join(model: ChannelModel): Promise<number> {
    const { topic, group, provision } = this.#spec;
    const { partitions } = await this.#provisioner.provision(model, topic, provision, [group]);
    if (topic.keyed && this.#membership?.model !== model) this.#membership = await this.#takeSlot(model);
    return partitions;
  }

  async #takeSlot(model: ChannelModel): Promise<Membership | undefined> {
    const { topic, group } = this.#spec;
    try {
      const membership = await Membership.join(model, this.#context.clock, topic.name, group);
      this.#problem = undefined;
      return membership;
    } catch (error) {
      // No permission, or the node that holds the roster is away.
      if (replyCode(error) !== REPLY.accessRefused && replyCode(error) !== REPLY.notFound) throw error;
      const reason = toError(error).message;
      this.#problem = `Partitions of "${topic.name}" are not shared evenly by the members of "${group}": ${reason}.`;
      this.#context.logger.warn(
        { err: toError(error), topic: topic.name, group },
        "Members of the group cannot share partitions evenly",
      );
      return undefined;
    }
  }

  /** One look at the group, and what follows from it. True when the connection is gone. */
  async #turn(model: ChannelModel, partitions: number, gone: Promise<void>): Promise<boolean> {
    const parts = await this.#parts(partitions);
    await Promise.all(parts.map((part, partition) => this.#play(model, partition, part, partitions)));
    this.#ready.resolve();
    return Promise.race([gone.then(() => true), this.#pause(LOOK).then(() => false)]);
  }

  /** Without a membership, every member consumes every queue: of a keyed topic the broker then lets one at a time, of another all at once. */
  async #parts(partitions: number): Promise<readonly Part[]> {
    const membership = this.#membership;
    if (!membership) return new Array<Part>(partitions).fill("owner");
    try {
      const { slot, members } = await membership.look();
      return partsOf(slot, partitions, members);
    } catch (cause) {
      this.#membership = undefined;
      await membership.leave(LOOK);
      throw new WaybillError(
        "WAYBILL_CONNECTION_FAILED",
        `The members of the group cannot be counted: ${toError(cause).message}.`,
        {
          retryable: true,
          cause,
        },
      );
    }
  }

  /** Brings one feed to what it should be. Hand-overs go on by themselves: a later turn opens what they leave. */
  async #play(model: ChannelModel, partition: number, part: Part, partitions: number): Promise<void> {
    const feed = this.#feeds.get(partition);
    if (part !== "backup") this.#returned.delete(partition);
    if (part === "none") {
      void feed?.handOver();
    } else if (!feed) {
      await this.#open(model, partition, part, partitions);
    } else if (part === "owner") {
      feed.part = "owner";
    } else if (feed.part === "owner") {
      void feed.handOver();
    } else if (feed.activeSince !== undefined && this.#waited(feed.activeSince, partition)) {
      this.#returned.set(partition, (this.#returned.get(partition) ?? 0) + 1);
      void feed.handOver();
    }
  }

  #waited(since: number, partition: number): boolean {
    const patience = Math.min(PATIENCE.max, PATIENCE.initial * 2 ** (this.#returned.get(partition) ?? 0));
    return this.#context.clock.now() - since >= patience;
  }

  async #open(model: ChannelModel, partition: number, part: "owner" | "backup", partitions: number): Promise<void> {
    const { topic, group, handover } = this.#spec;
    const plan = {
      queue: partitionQueue(topic.name, group, partition),
      id: `${topic.name}/${partition}`,
      partition,
      prefetch: this.#prefetch(partitions),
      handover,
    };
    const feed = new Feed(plan, part, this.#sink, this.#context);
    this.#feeds.set(partition, feed);
    void feed.ended.then((error) => {
      if (this.#feeds.get(partition) === feed) this.#feeds.delete(partition);
      if (error && !this.#stopped)
        this.#context.logger.warn({ err: error, queue: plan.queue }, "A queue was lost and is consumed again");
    });
    try {
      await feed.open(model);
    } catch (error) {
      this.#feeds.delete(partition);
      throw error;
    }
  }

  /** There is no pause by bytes on a queue: what is handed out ahead is bounded as if all of it were as large as allowed. */
  #prefetch(partitions: number): number {
    const { messages, bytes } = this.#spec.window;
    const most = Math.floor(Math.min(messages, (LARGE * bytes) / this.#maxMessageBytes) / partitions);
    return Math.min(65_535, Math.max(1, most));
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#context.clock, ms, this.#stop.signal).catch(() => undefined);
  }
}
