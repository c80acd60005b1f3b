import { type Clock, type ConsumerSink, type Incoming, type Settlement, type Source, sleep } from "@waybill/core/transport";
import type { Channel, ConsumeMessage, Message } from "amqplib";
import { toIncoming } from "./mapping.ts";

/**
 * Acknowledging one by one faster than this loses acknowledgements when the channel is closed soon after; and for `quiet` milliseconds after the last
 * one it must not be closed.
 */
export const SINGLES = { burst: 16, pause: 5, quiet: 200 };

const OK = Promise.resolve("ok" as const);
const FENCED = Promise.resolve("fenced" as const);

/** The ownership of one queue, which lasts as long as the channel that delivers it. Delivery tags mean nothing on any other channel. */
export class Stretch implements Source {
  readonly id: string;
  readonly epoch: string;
  readonly partition: number;
  readonly #channel: Channel;
  readonly #sink: ConsumerSink;
  readonly #clock: Clock;
  /** Received, not yet handed over. Bounded by the prefetch. */
  #received: Incoming[] = [];
  #flushing = false;
  #paused = false;
  #ending = false;
  #over = false;
  /** All up to this tag is acknowledged. */
  #settled = 0;
  /** Acknowledged behind it. The broker closes the channel over a tag that it no longer knows. */
  readonly #singles = new Set<number>();
  #lastSingle = Number.NEGATIVE_INFINITY;

  constructor(place: Pick<Source, "id" | "epoch" | "partition">, channel: Channel, sink: ConsumerSink, clock: Clock) {
    this.id = place.id;
    this.epoch = place.epoch;
    this.partition = place.partition;
    this.#channel = channel;
    this.#sink = sink;
    this.#clock = clock;
  }

  /** A delivery. All that one read of the socket brought is handed over as one batch. */
  take(message: ConsumeMessage): void {
    if (this.#ending) return;
    this.#received.push(toIncoming(message));
    if (this.#flushing || this.#paused) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flush();
  }

  settle({ upTo, singles }: Settlement): Promise<"ok" | "fenced"> {
    if (this.#over) return FENCED;
    try {
      if (upTo !== undefined) this.#settleUpTo(upTo);
      return singles.length === 0 ? OK : this.#settleSingles(singles);
    } catch {
      // amqplib throws on a channel that has just gone.
      return FENCED;
    }
  }

  /** Nothing more is handed over; what core has may still be settled. */
  ending(): void {
    this.#ending = true;
    this.#received = [];
  }

  /** Resolves when closing the channel cannot lose an acknowledgement any more. */
  async quiet(): Promise<void> {
    const left = this.#lastSingle + SINGLES.quiet - this.#clock.now();
    if (left > 0) await sleep(this.#clock, left);
  }

  /** Gone, once. */
  lost(why: "handed-over" | "fenced" | "connection" | "closed"): void {
    if (this.#over) return;
    this.#over = true;
    this.ending();
    this.#sink.lost([this], why);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#paused || this.#received.length === 0) return;
    const batch = this.#received;
    this.#received = [];
    this.#sink.batch(this, batch);
  };

  #settleUpTo(upTo: number): void {
    // The broker needs a tag that is still open: singles that the row has reached are known to it no longer.
    let tag = upTo;
    while (this.#singles.has(tag)) tag--;
    if (tag > this.#settled) this.#acknowledge(tag, true);
    for (const single of this.#singles) if (single <= upTo) this.#singles.delete(single);
    this.#settled = Math.max(this.#settled, upTo);
  }

  async #settleSingles(singles: readonly number[]): Promise<"ok" | "fenced"> {
    let sent = 0;
    for (const tag of singles) {
      if (tag <= this.#settled || this.#singles.has(tag)) continue;
      if (sent > 0 && sent % SINGLES.burst === 0) await sleep(this.#clock, SINGLES.pause);
      if (this.#over) return "fenced";
      try {
        this.#acknowledge(tag, false);
      } catch {
        return "fenced";
      }
      this.#singles.add(tag);
      this.#lastSingle = this.#clock.now();
      sent++;
    }
    return "ok";
  }

  #acknowledge(deliveryTag: number, allUpTo: boolean): void {
    this.#channel.ack({ fields: { deliveryTag } } as Message, allUpTo);
  }
}
