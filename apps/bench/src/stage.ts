import { type Bus, createBus, type Topic, topic, unchecked } from "@waybill/core";
import { inFlight } from "./measure.ts";
import { type Work, workOf } from "./work.ts";

/** In front of every name on the broker, so that runs do not meet. */
function newPrefix(): string {
  return `bench-${Date.now().toString(36)}-${process.pid}.`;
}

const quiet = { debug() {}, info() {}, warn() {}, error: (...what: unknown[]) => console.error(...what) };

/** A bus as the benchmarks use it. */
export function openBus(url: string, prefix: string): Bus {
  return createBus({ app: "bench", transport: url, prefix, logger: quiet });
}

/** The topic that a benchmark uses: JSON without validation, keyed. */
export type WorkTopic = ReturnType<typeof workTopic>;

/** Declares one with `groups`, which get all that is published from then on. */
export function workTopic(name: string, partitions: number, groups: readonly string[] = []) {
  return topic(name, { schema: unchecked<Work>(), key: ({ payload }) => payload.key, partitions, groups });
}

/** A bus, and topics that are gone from the broker in the end. */
export class Stage implements AsyncDisposable {
  readonly bus: Bus;
  readonly prefix = newPrefix();
  readonly #topics: Topic[] = [];

  constructor(url: string) {
    this.bus = openBus(url, this.prefix);
  }

  /** A topic that stands on the broker. */
  async topic(name: string, partitions: number, groups: readonly string[] = []): Promise<WorkTopic> {
    const made = workTopic(name, partitions, groups);
    this.#topics.push(made);
    await this.bus.ready({ topics: [made], timeout: "30s" });
    return made;
  }

  /** Its name on the broker. */
  nameOf(topic: Topic): string {
    return this.prefix + topic.name;
  }

  /** Publishes messages 0 to `count - 1`. */
  async fill(topic: WorkTopic, count: number, keys: number): Promise<void> {
    await inFlight(5_000, count, (index) => this.bus.publish(topic, workOf(index, keys)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const topic of this.#topics) await this.bus.admin.deleteTopic(topic);
    } finally {
      await this.bus.close({ timeout: "10s" });
    }
  }
}
