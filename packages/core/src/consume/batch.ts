import type { Delivery } from "../message.ts";

/** Deliveries that are handled together. */
export interface Batch<D> extends Iterable<D> {
  /** Those of one key in their order. */
  readonly items: readonly D[];
  /** Aborts at the handler's timeout and when the drain deadline has passed. */
  readonly signal: AbortSignal;
  /**
   * Fails this one, by the retry policy, as if its handler had thrown `reason`; under `order: "key"` the later ones of its key are handled again
   * after it. Bound, so it can be destructured. The rest of the batch succeeds when the handler returns.
   */
  readonly fail: (item: D, reason: unknown) => void;
}

/** What a batch makes of one of its items. */
export interface BatchItem {
  readonly delivery: Delivery;
  /** Equal for items that must stay in order; `undefined` for one that need not. */
  readonly lane: string | undefined;
  succeed(): void;
  fail(reason: unknown): void;
  /** An earlier one of its key failed: this one was not handled. */
  keepPlace(): void;
}

/** A batch that waits until each of its entries has come to the handler, or has ended before it. */
export class OpenBatch {
  readonly #handler: (batch: Batch<Delivery>) => unknown;
  readonly #items = new Map<number, BatchItem>();
  #missing: number;

  constructor(size: number, handler: (batch: Batch<Delivery>) => unknown) {
    this.#missing = size;
    this.#handler = handler;
  }

  /** The entry at `index` has come through decoding and plugins. */
  join(index: number, item: BatchItem): void {
    this.#items.set(index, item);
    this.#arrived();
  }

  /** The entry at `index` has ended without being handled. */
  absent(): void {
    this.#arrived();
  }

  #arrived(): void {
    if (--this.#missing === 0 && this.#items.size > 0) void this.#run();
  }

  async #run(): Promise<void> {
    // They may have arrived in another order than they stand in.
    const items = [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
    const failures = new Map<Delivery, unknown>();
    try {
      await this.#handler(new LiveBatch(items, failures));
    } catch (error) {
      for (const { delivery } of items) if (!failures.has(delivery)) failures.set(delivery, error);
    }
    const failed = new Set<string>();
    for (const item of items) {
      if (item.lane !== undefined && failed.has(item.lane)) item.keepPlace();
      else if (!failures.has(item.delivery)) item.succeed();
      else {
        if (item.lane !== undefined) failed.add(item.lane);
        item.fail(failures.get(item.delivery));
      }
    }
  }
}

class LiveBatch implements Batch<Delivery> {
  readonly items: readonly Delivery[];
  readonly fail: (item: Delivery, reason: unknown) => void;
  #signal: AbortSignal | undefined;

  constructor(items: readonly BatchItem[], failures: Map<Delivery, unknown>) {
    this.items = items.map(({ delivery }) => delivery);
    const own = new Set(this.items);
    this.fail = (item, reason) => {
      if (!own.has(item)) throw new TypeError("batch.fail() takes an item of the batch");
      if (!failures.has(item)) failures.set(item, reason);
    };
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any(this.items.map(({ signal }) => signal));
    return this.#signal;
  }

  [Symbol.iterator](): Iterator<Delivery> {
    return this.items[Symbol.iterator]();
  }
}
