import { partitionOf } from "../partition.ts";
import type { Destination, TopicSpec } from "../transport.ts";
import { Line } from "./line.ts";

/** A topic that has been provisioned. */
export interface LiveTopic {
  readonly spec: TopicSpec;
  /** The live count, by which keys are placed. */
  readonly partitions: number;
}

/** The way to one topic: the order of the calls, and a partition for each message. */
export class Route {
  readonly line = new Line();
  #live: LiveTopic | undefined;
  #destinations: readonly Destination[] = [];
  #spread = 0;

  /**
   * By key. Without one, messages that are published together stay together while `gathers` says that their batch can take more, then the next
   * partition has its turn.
   */
  destination(live: LiveTopic, key: Uint8Array | undefined, gathers: (to: Destination) => boolean): Destination {
    if (live !== this.#live) this.#adopt(live);
    if (key !== undefined) return this.#at(partitionOf(key, live.partitions));
    if (!gathers(this.#at(this.#spread))) this.#spread = (this.#spread + 1) % live.partitions;
    return this.#at(this.#spread);
  }

  #adopt(live: LiveTopic): void {
    this.#live = live;
    this.#destinations = Array.from({ length: live.partitions }, (_, partition) => ({
      kind: "topic",
      topic: live.spec,
      partition,
    }));
    // Processes that publish a single message each do not all choose the same.
    this.#spread = Math.floor(Math.random() * live.partitions);
  }

  #at(partition: number): Destination {
    return this.#destinations[partition] as Destination;
  }
}
