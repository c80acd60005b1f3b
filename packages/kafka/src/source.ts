import type { Settlement, Source } from "@waybill/core/transport";
import type { EngineMember, TopicPartition } from "./engine.ts";

/** The id of a source, and what its positions begin with: a partition of the retry topic is another source than the topic's. */
export interface SourceName {
  readonly id: string;
  readonly prefix: string;
}

/** What lets the records of partitions flow. */
export type Flow = Pick<EngineMember, "start" | "pause" | "resume">;

/** One stretch of ownership of a partition: from an assignment to the next rebalance. */
export class PartitionSource implements Source {
  readonly id: string;
  readonly epoch: string;
  readonly partition: number;
  readonly of: TopicPartition;
  readonly #prefix: string;
  readonly #flow: Flow;
  readonly #settle: (upTo: number) => Promise<"ok" | "fenced">;
  #paused = false;
  #started = false;
  #lost = false;

  constructor(options: {
    name: SourceName;
    epoch: string;
    of: TopicPartition;
    flow: Flow;
    settle: (upTo: number) => Promise<"ok" | "fenced">;
  }) {
    this.id = options.name.id;
    this.#prefix = options.name.prefix;
    this.epoch = options.epoch;
    this.of = options.of;
    this.partition = options.of.partition;
    this.#flow = options.flow;
    this.#settle = options.settle;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Begins to hand over, from `offset`. Whoever gained the source may have paused it by then. */
  start(offset: number): void {
    if (this.#lost) return;
    this.#started = true;
    this.#flow.start(this.of, offset, this.#paused);
  }

  pause(): void {
    if (this.#lost || this.#paused) return;
    this.#paused = true;
    if (this.#started) this.#flow.pause(this.of);
  }

  resume(): void {
    if (this.#lost || !this.#paused) return;
    this.#paused = false;
    if (this.#started) this.#flow.resume(this.of);
  }

  lose(): void {
    this.#lost = true;
  }

  async settle({ upTo }: Settlement): Promise<"ok" | "fenced"> {
    if (this.#lost) return "fenced";
    return upTo === undefined ? "ok" : this.#settle(upTo);
  }

  /** The identity of a record in the logs of this source's group. */
  position(offset: number): string {
    return `${this.#prefix}${offset}`;
  }
}
