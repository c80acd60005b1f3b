import { type Backoff, backoffDelay, RECONNECT } from "../backoff.ts";
import { weigh } from "../binding.ts";
import { type Clock, sleep } from "../clock.ts";
import type { WaybillError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Destination, Envelope, Outcome, TransportPublisher } from "../transport.ts";
import { type Amount, Budget } from "./budget.ts";
import { handOver } from "./hand-over.ts";
import { type Item, type Lane, Lanes } from "./lane.ts";
import { Queue } from "./queue.ts";
import { closedError, timeoutError } from "./unconfirmed.ts";
import { Watch } from "./watch.ts";

/** What a {@link Sender} needs. */
export interface SenderOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most in one call of the transport; a message of more bytes goes alone. @default 1,000 messages, 768 KiB */
  readonly maxBatch?: Amount | undefined;
  /** The most in flight over all destinations; past it `send` waits. @default 10,000 messages, 64 MiB */
  readonly limits?: Amount | undefined;
  /** Between attempts on one destination. @default 100 ms to 3 s */
  readonly backoff?: Backoff | undefined;
}

/** How one message is sent. */
export interface SendOptions {
  /** A time of the clock, or `Infinity`. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** What the envelope weighs, where that is known. @default what `weigh` says */
  readonly bytes?: number | undefined;
}

/**
 * Brings envelopes to a transport in batches, with one call in flight a destination, so that what a broken connection leaves in doubt can be
 * sent again before anything newer: first occurrences of stored messages stand in the order of the calls of `send`.
 */
export class Sender {
  readonly #publisher: TransportPublisher;
  readonly #options: SenderOptions;
  readonly #maxBatch: Amount;
  readonly #budget: Budget;
  readonly #lanes = new Lanes();
  /** Past the budget, over all destinations, in the order of the calls. */
  readonly #waiting = new Queue<Item>();
  /** All whose promise is not settled. */
  readonly #unsettled: Watch<Item>;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(publisher: TransportPublisher, options: SenderOptions) {
    this.#publisher = publisher;
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? { messages: 1_000, bytes: 768 * 1_024 };
    this.#budget = new Budget(options.limits ?? { messages: 10_000, bytes: 64 * 1_048_576 });
    this.#unsettled = new Watch(options.clock, (item, why) => this.#giveUp(item, why));
  }

  /** Taken in and not answered yet; includes messages whose caller has given up while they were with the transport. */
  get inFlight(): Amount {
    return this.#budget.used;
  }

  /** Whether a batch for `to` is being gathered just now that one more message could join without a wait. */
  gathers(to: Destination): boolean {
    const lane = this.#lanes.of(to);
    return lane.gathering && lane.queue.size < this.#maxBatch.messages;
  }

  /**
   * Resolves with the position when the message is stored. Rejects with the transport's error for a definite refusal, with a
   * `PublishTimeoutError` at the deadline, with the reason of `signal` when that aborts, with `CLOSED` when the sender closes.
   */
  send(to: Destination, envelope: Envelope, options: SendOptions): Promise<string | undefined> {
    const { deadline, signal, bytes = weigh(envelope) } = options;
    return new Promise((resolve, reject) => {
      const item: Item = {
        to,
        envelope,
        bytes,
        deadline,
        signal,
        resolve,
        reject,
        stage: "waiting",
        doubt: false,
        error: undefined,
        ahead: undefined,
        behind: undefined,
      };
      if (this.#closed !== undefined) return reject(closedError(item));
      if (signal?.aborted) return reject(signal.reason);
      this.#unsettled.add(item);
      this.#waiting.push(item);
      this.#admit();
    });
  }

  /** Resolves when all that was sent is settled, later calls included. */
  flush(): Promise<void> {
    return this.#unsettled.empty();
  }

  /** Rejects what is unsettled with `CLOSED`, takes nothing more, and closes the transport's publisher. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const item of this.#unsettled.clear()) {
      this.#remove(item);
      item.reject(closedError(item));
    }
    this.#closing.abort();
    await this.#publisher.close();
  }

  /** Takes in what fits. */
  #admit(): void {
    for (let item = this.#waiting.first; item !== undefined && this.#budget.fits(item.bytes); item = this.#waiting.first) {
      this.#waiting.remove(item);
      this.#budget.take(item.bytes);
      item.stage = "queued";
      const lane = this.#lanes.of(item.to);
      lane.queue.push(item);
      if (!lane.running) void this.#run(lane);
    }
  }

  /** Out of whatever queue it stands in. What is with the transport stays counted until that answers. */
  #remove(item: Item): void {
    if (item.stage === "waiting") this.#waiting.remove(item);
    if (item.stage !== "queued") return;
    this.#lanes.of(item.to).queue.remove(item);
    this.#budget.giveBack(item.bytes);
  }

  #giveUp(item: Item, why: "timeout" | "abort"): void {
    item.reject(why === "abort" ? item.signal?.reason : timeoutError(item));
    this.#remove(item);
    this.#admit();
  }

  /** Empties a lane, batch after batch. */
  async #run(lane: Lane): Promise<void> {
    const { clock, logger, backoff = RECONNECT } = this.#options;
    lane.running = true;
    lane.gathering = true;
    // What else is published in this turn goes into the first batch.
    await undefined;
    lane.gathering = false;
    let failures = 0;
    for (let batch = this.#take(lane); isFilled(batch); batch = this.#take(lane)) {
      const failure = this.#answer(lane, batch, await handOver(this.#publisher, batch, this.#options));
      failures = failure === undefined ? 0 : failures + 1;
      if (failure === undefined) continue;
      if (failures === 1) logger.warn({ topic: batch[0].to.topic.name, error: failure }, "publishing failed and is tried again");
      await sleep(clock, backoffDelay(backoff, failures), this.#closing.signal).catch(() => {});
    }
    lane.running = false;
  }

  /** The next batch out of a lane's queue; what is too late is left behind. */
  #take(lane: Lane): Item[] {
    const now = this.#options.clock.now();
    const batch: Item[] = [];
    let bytes = 0;
    for (let item = lane.queue.first; item !== undefined; item = lane.queue.first) {
      if (item.deadline <= now) {
        this.#unsettled.delete(item);
        this.#giveUp(item, "timeout");
        continue;
      }
      bytes += item.bytes;
      if (batch.length === this.#maxBatch.messages || (batch.length > 0 && bytes > this.#maxBatch.bytes)) break;
      lane.queue.remove(item);
      item.stage = "sent";
      batch.push(item);
    }
    return batch;
  }

  /** Settles what is final, and puts the rest back in front of all that is newer. Gives the error of the first of those. */
  #answer(lane: Lane, batch: readonly Item[], outcomes: readonly Outcome[]): WaybillError | undefined {
    const again: Item[] = [];
    for (const [i, item] of batch.entries()) {
      const outcome = outcomes[i] as Outcome;
      // Whose caller has given up is not sent again.
      if (outcome.stored !== true && outcome.retry && this.#unsettled.has(item)) {
        item.stage = "queued";
        item.doubt ||= outcome.stored === "unknown";
        item.error = outcome.error;
        again.push(item);
        continue;
      }
      this.#budget.giveBack(item.bytes);
      if (!this.#unsettled.delete(item)) continue;
      if (outcome.stored === true) item.resolve(outcome.position);
      else item.reject(outcome.error);
    }
    for (const item of again.toReversed()) lane.queue.unshift(item);
    this.#admit();
    return again[0]?.error;
  }
}

function isFilled(batch: Item[]): batch is [Item, ...Item[]] {
  return batch.length > 0;
}
