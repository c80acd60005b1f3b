import type { TransportContext } from "@waybill/core/transport";
import type { EngineAdmin, TopicPartition } from "./engine.ts";

/** Each time costs requests to the leaders of the partitions. */
const EVERY = 60_000;

/**
 * Removes what a group has settled from the topics of its delays, which drop nothing by themselves: at once, and then once a minute. Where that is not
 * allowed it stays, and does no harm but to take room.
 */
export class Purge {
  readonly #admin: EngineAdmin;
  readonly #context: TransportContext;
  #settled = new Map<string, TopicPartition & { readonly offset: number }>();
  #cancel: (() => void) | undefined;
  #ended = false;

  constructor(admin: EngineAdmin, context: TransportContext) {
    this.#admin = admin;
    this.#context = context;
  }

  /** All before `offset` is committed. */
  settled(of: TopicPartition, offset: number): void {
    if (this.#ended) return;
    this.#settled.set(`${of.topic}/${of.partition}`, { ...of, offset });
    if (this.#cancel === undefined) this.#run();
  }

  end(): void {
    this.#ended = true;
    this.#cancel?.();
  }

  #run(): void {
    const { clock, logger } = this.#context;
    const again = () => {
      this.#cancel = undefined;
      if (this.#settled.size > 0) this.#run();
    };
    this.#cancel = clock.after(EVERY, again, true);
    const topics = Map.groupBy(this.#settled.values(), ({ topic }) => topic);
    this.#settled = new Map();
    for (const [topic, before] of topics) {
      this.#admin.deleteRecords(topic, before).catch((error: unknown) => {
        logger.debug({ error, topic }, "delayed messages that are settled cannot be removed");
      });
    }
  }
}
