import type { ConsumerSink, TransportContext } from "@waybill/core/transport";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { atMost } from "./at-most.ts";
import { answered, closeChannel, openChannel } from "./channels.ts";
import type { Part } from "./ownership.ts";
import { Stretch } from "./stretch.ts";

/** Which queue a feed consumes, and how. */
export interface FeedPlan {
  readonly queue: string;
  /** Of the source: `<topic>/<partition>`. */
  readonly id: string;
  readonly partition: number;
  readonly prefetch: number;
  /** How long an orderly hand-over may wait for handlers, in milliseconds. */
  readonly handover: number;
}

let opened = 0;

/**
 * One queue consumed on a channel of its own, from its opening to its end. With a single active consumer the first delivery is what says that this
 * is the active one: only then the source is gained.
 */
export class Feed {
  /** What this member is to the queue; a backup that is active all the same gives it back. */
  part: Exclude<Part, "none">;
  readonly #plan: FeedPlan;
  readonly #sink: ConsumerSink;
  readonly #context: TransportContext;
  readonly #ended = Promise.withResolvers<Error | undefined>();
  #channel: Channel | undefined;
  #stretch: Stretch | undefined;
  #activeSince: number | undefined;
  /** Nothing more is handed over. */
  #ending = false;
  /** The channel is being closed by this side. */
  #closing = false;
  /** The broker said why it closes the channel. */
  #reason: Error | undefined;

  constructor(plan: FeedPlan, part: Exclude<Part, "none">, sink: ConsumerSink, context: TransportContext) {
    this.#plan = plan;
    this.part = part;
    this.#sink = sink;
    this.#context = context;
  }

  /** Resolves when the channel is gone, with the reason when it was not this side's wish. */
  get ended(): Promise<Error | undefined> {
    return this.#ended.promise;
  }

  /** When it was first found to be the active one. */
  get activeSince(): number | undefined {
    return this.#ending ? undefined : this.#activeSince;
  }

  /** Rejects, with nothing left open, when the queue cannot be consumed. */
  async open(model: ChannelModel): Promise<void> {
    const { clock } = this.#context;
    const channel = await openChannel(model, clock);
    this.#channel = channel;
    channel.on("error", (error) => {
      this.#reason = error;
    });
    channel.on("close", () => {
      if (!this.#closing) this.#lose();
    });
    try {
      await answered(clock, channel.prefetch(this.#plan.prefetch));
      await answered(
        clock,
        channel.consume(this.#plan.queue, (message) => this.#take(channel, message)),
      );
    } catch (error) {
      this.#ending = true;
      this.#closing = true;
      await closeChannel(channel, clock);
      throw error;
    }
  }

  /** Waits for what runs, settles it, then gives the queue up. Idempotent. */
  async handOver(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#stretch?.ending();
    if (this.#stretch) await this.#sink.losing([this.#stretch], this.#context.clock.now() + this.#plan.handover);
    await this.#close("handed-over", undefined);
  }

  /** Core has drained: leaves without losing an acknowledgement, by `deadline` at most. */
  async close(deadline: number): Promise<void> {
    this.#ending = true;
    this.#stretch?.ending();
    await this.#close("closed", deadline);
  }

  /** Settlements are over at once; the channel is left to whoever destroys the connection. */
  sever(): void {
    this.#ending = true;
    this.#lose();
  }

  /** Never cancels first: on a queue with a single active consumer that would reorder what is not acknowledged. */
  async #close(why: "handed-over" | "closed", deadline: number | undefined): Promise<void> {
    const { clock } = this.#context;
    const left = deadline === undefined ? undefined : Math.max(0, deadline - clock.now());
    const quiet = this.#stretch?.quiet() ?? Promise.resolve();
    await (left === undefined ? quiet : atMost(left, clock, quiet));
    this.#closing = true;
    if (this.#channel) await closeChannel(this.#channel, clock, left);
    this.#stretch?.lost(why);
    this.#ended.resolve(undefined);
  }

  #take(channel: Channel, message: ConsumeMessage | null): void {
    if (message === null) {
      // The queue was deleted. amqplib would leave the channel open.
      this.#reason = new Error(`queue "${this.#plan.queue}" was deleted`);
      void closeChannel(channel, this.#context.clock);
      return;
    }
    if (this.#ending) return;
    if (!this.#stretch) {
      const now = this.#context.clock.now();
      const { id, partition } = this.#plan;
      // Grows with time, so that outside systems can use it to fence.
      const epoch = `${now.toString(36).padStart(9, "0")}-${process.pid}-${++opened}`;
      this.#activeSince = now;
      this.#stretch = new Stretch({ id, partition, epoch }, channel, this.#sink, this.#context.clock);
      this.#sink.gained(this.#stretch, { committed: undefined, gap: false });
    }
    this.#stretch.take(message);
  }

  #lose(): void {
    this.#stretch?.lost(this.#reason ? "fenced" : "connection");
    this.#ended.resolve(this.#reason ?? new Error("the connection was lost"));
  }
}
