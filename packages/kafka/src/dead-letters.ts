import type { Clock, DeadLetterStore, StoredDeadLetter, WaitOptions } from "@waybill/core/transport";
import type { EngineAdmin, EngineProducer, EngineReader, Stretch } from "./engine.ts";
import { fromRecord, toTombstone } from "./mapping.ts";
import { deadName } from "./names.ts";

/** How long the removal of letters may take before it is begun again. */
const REMOVE = 30_000;

export interface DeadLetterOptions {
  readonly admin: EngineAdmin;
  readonly clock: Clock;
  /** One for each reading, which closes it. */
  reader(): EngineReader;
  producer(): EngineProducer;
  /** Tries until it succeeds or cannot. */
  persist<T>(what: string, action: () => Promise<T>, wait?: WaitOptions): Promise<T>;
}

/** Where a letter stands. */
interface Place {
  readonly partition: number;
  readonly offset: number;
  /** When it was written. */
  readonly at: number;
}

/** What a letter is removed by. */
interface Handle {
  readonly partition: number;
  readonly key: Uint8Array;
}

/**
 * The dead letters of one group: the last record of each id that is no tombstone. A reading goes over the topic twice. First it learns which letters
 * stand and where, which takes about 200 bytes of memory each; then it fetches them, holding one fetch of each partition at most.
 */
export class KafkaDeadLetters implements DeadLetterStore {
  readonly #options: DeadLetterOptions;
  readonly #topic: string;

  constructor(topic: string, group: string, options: DeadLetterOptions) {
    this.#topic = deadName(topic, group);
    this.#options = options;
  }

  async count(): Promise<number> {
    const reader = this.#options.reader();
    try {
      return (await this.#places(reader, {})).length;
    } finally {
      await reader.close();
    }
  }

  async *read({
    page,
    signal,
  }: {
    readonly page: number;
    readonly signal?: AbortSignal | undefined;
  }): AsyncGenerator<readonly StoredDeadLetter[]> {
    const reader = this.#options.reader();
    try {
      const places = await this.#places(reader, { signal });
      const letters = this.#letters(reader, { signal });
      for (let i = 0; i < places.length; i += page) {
        const found: StoredDeadLetter[] = [];
        for (const place of places.slice(i, i + page)) {
          const letter = await letters(place);
          if (letter !== undefined) found.push(letter);
        }
        signal?.throwIfAborted();
        if (found.length > 0) yield found;
      }
    } finally {
      await reader.close();
    }
  }

  async remove(letters: readonly StoredDeadLetter[]): Promise<void> {
    const { clock, persist, producer } = this.#options;
    const handles = letters.map(({ handle }) => handle as Handle);
    const partitions = [...Map.groupBy(handles, ({ partition }) => partition)];
    await Promise.all(
      partitions.map(([partition, own]) =>
        persist(`Dead letters of ${this.#topic} cannot be removed`, async () => {
          const now = clock.now();
          const tombstones = own.map(({ key }) => toTombstone(key, now));
          const produced = await producer().produce({ topic: this.#topic, partition }, tombstones, now + REMOVE);
          if (produced.stored !== true) throw produced.error;
        }),
      ),
    );
  }

  /** Where the letters stand that stand now, oldest first. */
  async #places(reader: EngineReader, wait: WaitOptions): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (const [partition, { low, high }] of await this.#bounds(wait)) {
      const live = new Map<string, Place>();
      // A partition's letters stay in their order, also where the writers' clocks disagree.
      let at = 0;
      for (let offset = low; offset < high; ) {
        const { records, next } = (await this.#stretch(reader, partition, offset, wait)) ?? { records: [], next: high };
        for (const { key, value, timestamp, offset } of records) {
          if (key === null || offset >= high) continue;
          at = Math.max(at, timestamp);
          const id = Buffer.from(key).toString("latin1");
          // Written again it stands where it is now.
          live.delete(id);
          if (value !== null) live.set(id, { partition, offset, at });
        }
        offset = next;
      }
      for (const place of live.values()) places.push(place);
    }
    return places.sort((a, b) => a.at - b.at || a.partition - b.partition || a.offset - b.offset);
  }

  #bounds(wait: WaitOptions): Promise<ReadonlyMap<number, { readonly low: number; readonly high: number }>> {
    const { admin, persist } = this.#options;
    const topic = this.#topic;
    return persist(
      `Dead letters of ${topic} cannot be read`,
      async () => ((await admin.topics([topic])).length === 0 ? new Map() : admin.offsets(topic)),
      wait,
    );
  }

  /** Fetches letters; what was compacted meanwhile is `undefined`. */
  #letters(reader: EngineReader, wait: WaitOptions): (place: Place) => Promise<StoredDeadLetter | undefined> {
    const fetched = new Map<number, Stretch & { readonly from: number }>();
    return async ({ partition, offset }) => {
      let stretch = fetched.get(partition);
      if (stretch === undefined || offset < stretch.from || offset >= stretch.next) {
        const read = (await this.#stretch(reader, partition, offset, wait)) ?? { records: [], next: offset + 1 };
        stretch = { ...read, from: offset };
        fetched.set(partition, stretch);
      }
      const record = stretch.records.find((one) => one.offset === offset);
      if (record === undefined || record.key === null || record.value === null) return undefined;
      const handle: Handle = { partition, key: record.key };
      return { envelope: fromRecord(record, String(offset)), handle };
    };
  }

  #stretch(reader: EngineReader, partition: number, offset: number, wait: WaitOptions): Promise<Stretch | undefined> {
    const topic = this.#topic;
    return this.#options.persist(
      `Dead letters of ${topic} cannot be read`,
      () => reader.read({ topic, partition }, offset),
      wait,
    );
  }
}
