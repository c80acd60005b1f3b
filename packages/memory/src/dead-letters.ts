import type { DeadLetterStore, StoredDeadLetter } from "@waybill/core/transport";
import type { Link } from "./link.ts";
import type { Entry, Stream } from "./stream.ts";

/** The dead letters of one group, over a link. */
export class MemoryDeadLetters implements DeadLetterStore {
  readonly #link: Link;
  readonly #topic: string;
  readonly #group: string;

  constructor(link: Link, topic: string, group: string) {
    this.#link = link;
    this.#topic = topic;
    this.#group = group;
  }

  async count(): Promise<number> {
    return [...((await this.#stream()) ?? [])].length;
  }

  async *read({
    page,
    signal,
  }: {
    readonly page: number;
    readonly signal?: AbortSignal | undefined;
  }): AsyncGenerator<readonly StoredDeadLetter[]> {
    const stream = await this.#stream(signal);
    const there = [...(stream ?? [])];
    for (let i = 0; i < there.length; i += page) {
      signal?.throwIfAborted();
      // What was removed meanwhile is not shown any more.
      const entries = there.slice(i, i + page).filter(({ index }) => stream?.at(index) !== undefined);
      if (entries.length > 0) yield entries.map((entry) => ({ envelope: entry.envelope, handle: entry }));
    }
  }

  async remove(letters: readonly StoredDeadLetter[]): Promise<void> {
    const stream = await this.#stream();
    for (const { handle } of letters) stream?.discard((handle as Entry).index);
  }

  async #stream(signal?: AbortSignal): Promise<Stream | undefined> {
    const broker = await this.#link.reach(signal);
    return broker.topics.get(this.#topic)?.groups.get(this.#group)?.dead;
  }
}
