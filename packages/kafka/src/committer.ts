import { backoffDelay, type Clock, RECONNECT, sleep } from "@waybill/core/transport";
import type { EngineMember, TopicPartition } from "./engine.ts";

interface Pending {
  readonly of: TopicPartition;
  offset: number;
  readonly waiting: ((result: "ok" | "fenced") => void)[];
}

/**
 * The commits of one generation: what several partitions settle while one request is under way goes into the next, together. A commit is tried
 * again until it is taken, or until the generation is over, when all that waits is `"fenced"`.
 */
export class Committer {
  readonly #member: EngineMember;
  readonly #generation: number;
  readonly #clock: Clock;
  readonly #onFenced: () => void;
  #pending = new Map<string, Pending>();
  #busy = false;
  #over = false;

  constructor(member: EngineMember, generation: number, clock: Clock, onFenced: () => void) {
    this.#member = member;
    this.#generation = generation;
    this.#clock = clock;
    this.#onFenced = onFenced;
  }

  /** Commits that all before `offset` is done. */
  commit(of: TopicPartition, offset: number): Promise<"ok" | "fenced"> {
    if (this.#over) return Promise.resolve("fenced");
    return new Promise((resolve) => {
      const key = `${of.topic}/${of.partition}`;
      const pending = this.#pending.get(key) ?? { of, offset, waiting: [] };
      pending.offset = Math.max(pending.offset, offset);
      pending.waiting.push(resolve);
      this.#pending.set(key, pending);
      if (!this.#busy) void this.#flush();
    });
  }

  /** The generation is over. */
  end(): void {
    this.#over = true;
    for (const { waiting } of this.#pending.values()) for (const resolve of waiting) resolve("fenced");
    this.#pending.clear();
  }

  async #flush(): Promise<void> {
    this.#busy = true;
    // What is settled in this turn goes together.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.values()];
      this.#pending = new Map();
      const result = await this.#send(batch.map(({ of, offset }) => ({ ...of, offset })));
      for (const { waiting } of batch) for (const resolve of waiting) resolve(result);
    }
    this.#busy = false;
  }

  async #send(offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<"ok" | "fenced"> {
    for (let attempt = 1; ; attempt++) {
      const result = this.#over ? "fenced" : await this.#member.commit(this.#generation, offsets);
      if (result === "fenced" && !this.#over) this.#onFenced();
      if (result !== "retry") return result;
      await sleep(this.#clock, backoffDelay(RECONNECT, attempt));
    }
  }
}
