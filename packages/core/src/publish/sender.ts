import { type Backoff, backoffDelay, RECONNECT } from "../backoff.ts";
import { weigh } from "../binding.ts";
import { type Clock, sleep } from "../clock.ts";
import { PublishTimeoutError, toError, WaybillError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Destination, Envelope, Outcome, TransportPublisher } from "../transport.ts";
import { type Item, type Lane, Lanes } from "./lane.ts";
import { Queue } from "./queue.ts";
import { Watch } from "./watch.ts";

/** A number of messages and of bytes. */
export interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

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
  /** What the envelope weighs, where that is known. @default {@link weigh} */
  readonly bytes?: number | undefined;
}

/**
 * The longest that one call of the transport may wait for its connection, in milliseconds: messages without a deadline are given back to it
 * time and again, instead of holding it to an endless wait.
 */
const LONGEST_CALL = 30_000;

/**
 * Brings envelopes to a transport in batches: one call in flight a destination, so that what a broken connection leaves in doubt can be sent
 * again before anything newer. First occurrences of stored messages stand in the order of the calls of `send`.
 */
export class Sender {
  readonly #publisher: TransportPublisher;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maxBatch: Amount;
  readonly #limits: Amount;
  readonly #backoff: Backoff;
  readonly #lanes = new Lanes();
  /** Past the limits, over all destinations, in the order of the calls. */
  readonly #waiting = new Queue<Item>();
  /** All whose promise is not settled. */
  readonly #unsettled: Watch<Item>;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  #messages = 0;
  #bytes = 0;

  constructor(publisher: TransportPublisher, options: SenderOptions) {
    this.#publisher = publisher;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#maxBatch = options.maxBatch ?? { messages: 1_000, bytes: 768 * 1_024 };
    this.#limits = options.limits ?? { messages: 10_000, bytes: 64 * 1_048_576 };
    this.#backoff = options.backoff ?? RECONNECT;
    this.#unsettled = new Watch(options.clock, (item, why) => this.#giveUp(item, why));
  }

  /** What was taken in and is not answered yet, messages included whose caller has given up while they were with the transport. */
  get inFlight(): Amount {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Whether a batch for `to` is being gathered just now that one more message could join without a wait. */
  gathers(to: Destination): boolean {
    const lane = this.#lanes.of(to);
    return lane.gathering && lane.queue.size < this.#maxBatch.messages;
  }

  /**
   * Resolves with the position when the message is stored. Rejects with the transport's error for a definite refusal, with a
   * {@link PublishTimeoutError} at the deadline, with the reason of `signal` when that aborts, with `CLOSED` when the sender closes.
   */
  send(to: Destination, envelope: Envelope, options: SendOptions): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const { deadline, signal, bytes = weigh(envelope) } = options;
      if (this.#closed !== undefined) return reject(closedError(to, "no"));
      if (signal?.aborted) return reject(signal.reason);
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
      this.#unsettled.add(item);
      if (this.#waiting.size === 0 && this.#fits(item)) this.#admit(item);
      else this.#waiting.push(item);
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
      item.reject(closedError(item.to, storedOf(item)));
    }
    this.#closing.abort();
    await this.#publisher.close();
  }

  #fits(item: Item): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.messages && this.#bytes + item.bytes <= this.#limits.bytes;
  }

  #admit(item: Item): void {
    this.#messages++;
    this.#bytes += item.bytes;
    item.stage = "queued";
    const lane = this.#lanes.of(item.to);
    lane.queue.push(item);
    if (!lane.running) void this.#run(lane);
  }

  #admitWaiting(): void {
    for (let item = this.#waiting.first; item !== undefined && this.#fits(item); item = this.#waiting.first) {
      this.#waiting.remove(item);
      this.#admit(item);
    }
  }

  #release(item: Item): void {
    this.#messages--;
    this.#bytes -= item.bytes;
  }

  /** Out of whatever queue it stands in. What is with the transport stays counted until that answers. */
  #remove(item: Item): void {
    if (item.stage === "sent") return;
    if (item.stage === "waiting") return this.#waiting.remove(item);
    this.#lanes.of(item.to).queue.remove(item);
    this.#release(item);
  }

  #giveUp(item: Item, why: "timeout" | "abort"): void {
    this.#remove(item);
    item.reject(why === "abort" ? item.signal?.reason : timeoutError(item));
    this.#admitWaiting();
  }

  /** Empties a lane, batch after batch. */
  async #run(lane: Lane): Promise<void> {
    lane.running = true;
    lane.gathering = true;
    // What else is published in this turn goes into the first batch.
    await undefined;
    lane.gathering = false;
    let failures = 0;
    for (let batch = this.#take(lane); batch.length > 0; batch = this.#take(lane)) {
      const outcomes = await this.#hand(batch);
      const failure = this.#answer(lane, batch, outcomes);
      failures = failure === undefined ? 0 : failures + 1;
      if (failure === undefined) continue;
      if (failures === 1) this.#logger.warn({ topic: batch[0]?.to.topic.name, error: failure }, "publishing failed and is tried again");
      await sleep(this.#clock, backoffDelay(this.#backoff, failures), this.#closing.signal).catch(() => {});
    }
    lane.running = false;
  }

  #take(lane: Lane): Item[] {
    const now = this.#clock.now();
    const batch: Item[] = [];
    let bytes = 0;
    for (let item = lane.queue.first; item !== undefined; item = lane.queue.first) {
      if (item.deadline <= now) {
        this.#unsettled.delete(item);
        this.#giveUp(item, "timeout");
        continue;
      }
      if (batch.length > 0 && (batch.length >= this.#maxBatch.messages || bytes + item.bytes > this.#maxBatch.bytes)) break;
      lane.queue.remove(item);
      item.stage = "sent";
      bytes += item.bytes;
      batch.push(item);
    }
    return batch;
  }

  async #hand(batch: readonly Item[]): Promise<readonly Outcome[]> {
    const to = (batch[0] as Item).to;
    let deadline = 0;
    for (const item of batch) deadline = Math.max(deadline, item.deadline);
    deadline = Math.min(deadline, this.#clock.now() + LONGEST_CALL);
    try {
      const outcomes = await this.#publisher.publish(
        to,
        batch.map((item) => item.envelope),
        { deadline },
      );
      if (outcomes.length === batch.length) return outcomes;
      throw new Error(`${outcomes.length} outcomes for ${batch.length} messages`);
    } catch (cause) {
      this.#logger.error({ topic: to.topic.name, error: cause }, "the transport broke its contract: what it was given is sent again");
      const message = `The transport failed on topic "${to.topic.name}": ${toError(cause).message}.`;
      const error = new WaybillError("WAYBILL_PUBLISH_REFUSED", message, { topic: to.topic.name, retryable: true, cause });
      return batch.map(() => ({ stored: "unknown", retry: true, error }));
    }
  }

  /** Settles what is final; puts the rest back in front of all that is newer, and gives the error if there is any. */
  #answer(lane: Lane, batch: readonly Item[], outcomes: readonly Outcome[]): WaybillError | undefined {
    const again: Item[] = [];
    for (const [i, item] of batch.entries()) {
      const outcome = outcomes[i] as Outcome;
      const retry = outcome.stored !== true && outcome.retry;
      // Whose caller has given up is not sent again.
      if (retry && this.#unsettled.has(item)) {
        item.stage = "queued";
        item.doubt ||= outcome.stored === "unknown";
        item.error = outcome.error;
        again.push(item);
        continue;
      }
      this.#release(item);
      if (!this.#unsettled.delete(item)) continue;
      if (outcome.stored === true) item.resolve(outcome.position);
      else item.reject(outcome.error);
    }
    for (const item of again.reverse()) lane.queue.unshift(item);
    this.#admitWaiting();
    return again[0]?.error;
  }
}

function storedOf(item: Item): "no" | "unknown" {
  return item.stage === "sent" || item.doubt ? "unknown" : "no";
}

const STORED = { no: "It was not stored.", unknown: "It may have been stored." };

function timeoutError(item: Item): PublishTimeoutError {
  const stored = storedOf(item);
  const { name } = item.to.topic;
  const message = `The broker did not confirm a message to topic "${name}" in time. ${STORED[stored]}`;
  return new PublishTimeoutError(stored, message, { topic: name, cause: item.error });
}

function closedError(to: Destination, stored: "no" | "unknown"): WaybillError {
  const { name } = to.topic;
  return new WaybillError("WAYBILL_CLOSED", `The bus was closed before a message to topic "${name}" was confirmed. ${STORED[stored]}`, {
    topic: name,
  });
}
