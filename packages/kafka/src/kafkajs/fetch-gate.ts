import type { Clock } from "@waybill/core/transport";
import type { TopicPartition } from "../engine.ts";

/** The part of kafkajs's fetch request that says of which partitions, and how long the broker may wait for records. */
export interface FetchRequest {
  readonly maxWaitTime: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[];
}

/** The part of the answer that kafkajs's consumer looks at. */
export interface FetchResponse {
  readonly responses: readonly unknown[];
}

/**
 * The longest that the broker may wait for records of other partitions while some are held, in milliseconds: a request under way cannot be called
 * back, and holds up what is to go on.
 */
const SHORT_WAIT = 20;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * Pauses partitions by leaving them out of what is asked of brokers. kafkajs's own pause throws away the answer that is on its way, and where all are
 * paused it sleeps, for as long as a fetch may wait, before it looks again: several times as long as the work that was to be waited for.
 */
export class FetchGate {
  readonly #clock: Clock;
  readonly #held = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(of: TopicPartition): void {
    this.#held.add(keyOf(of));
  }

  release(of: TopicPartition): void {
    if (this.#held.delete(keyOf(of))) this.#wake();
  }

  /** Holds nothing any more. */
  clear(): void {
    this.#held.clear();
    this.#wake();
  }

  /** `send` without the held partitions, and without a long wait for others; where none is left, nothing, as soon as one is released or the broker would have answered. */
  async fetch(request: FetchRequest, send: (request: FetchRequest) => Promise<FetchResponse>): Promise<FetchResponse> {
    if (this.#held.size === 0) return send(request);
    const topics = request.topics
      .map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.filter(({ partition }) => !this.#held.has(keyOf({ topic, partition }))),
      }))
      .filter(({ partitions }) => partitions.length > 0);
    if (topics.length > 0) return send({ ...request, topics, maxWaitTime: Math.min(request.maxWaitTime, SHORT_WAIT) });
    await this.#released(request.maxWaitTime);
    return { responses: [] };
  }

  #released(most: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(most, done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}
