import type { Incoming, Settlement, Source } from "@waybill/core/transport";
import type { Cursor } from "./cursor.ts";
import type { Member } from "./member.ts";
import type { Entry } from "./stream.ts";

/** One member's hold on one cursor, from gaining it to losing it: a {@link Source} of the contract. */
export class Holding implements Source {
  readonly id: string;
  readonly epoch: string;
  readonly partition: number;
  readonly cursor: Cursor;
  readonly #member: Member;
  /** Handed over and not settled, by token from `#base` on; settled ones leave a hole. */
  #held: (Entry | undefined)[] = [];
  #base = 1;
  #first = 0;
  #paused = false;
  #stopped = false;
  #ended = false;
  #unsettled = 0;

  constructor(member: Member, cursor: Cursor, about: { id: string; epoch: string; partition: number }) {
    this.#member = member;
    this.cursor = cursor;
    this.id = about.id;
    this.epoch = about.epoch;
    this.partition = about.partition;
    cursor.holdings.add(this);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How many are handed over and not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** How many could be handed over. */
  get waiting(): number {
    return this.#paused || this.#stopped ? 0 : this.cursor.waiting;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  wake(): void {
    if (!this.#paused && !this.#stopped) this.#member.wake();
  }

  settle({ upTo, singles }: Settlement): Promise<"ok" | "fenced"> {
    const { turns, profile } = this.#member.group.broker;
    const fenced = this.#ended || this.#member.severed;
    if (!fenced) {
      if (upTo !== undefined) this.#settleUpTo(upTo);
      if (profile.capabilities.singleSettlement) for (const token of singles) this.#settleOne(token);
      this.#member.wake();
    }
    return new Promise((resolve) => turns.next(() => resolve(fenced ? "fenced" : "ok")));
  }

  /** Takes up to `most` messages, while `fits` agrees to each. */
  take(most: number, fits: (bytes: number) => boolean): Incoming[] {
    const { profile, faults } = this.#member.group.broker;
    const taken: Incoming[] = [];
    while (taken.length < most) {
      const next = this.cursor.peek();
      if (next === undefined || !fits(next.entry.bytes)) break;
      this.cursor.take(next.again);
      taken.push(this.#handOver(next.entry, next.again && profile.redelivered, profile.positions));
      if (faults.takeRedelivery(this.#member.group.topic.name)) taken.push(this.#handOver(next.entry, true, profile.positions));
    }
    return taken;
  }

  /** Hands over nothing more, for good. */
  stop(): void {
    this.#stopped = true;
  }

  /** Ends the hold: what is not settled goes back. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopped = true;
    this.cursor.holdings.delete(this);
    const left = this.#held.filter((entry) => entry !== undefined);
    this.#held = [];
    for (const entry of left) this.#member.released(entry.bytes);
    this.cursor.giveBack([...new Set(left.map((entry) => entry.index))]);
  }

  /** Ends the hold and begins a new one, so that core hears of a gap. */
  renew(): void {
    this.#member.renew(this);
  }

  #handOver(entry: Entry, redelivered: boolean, positioned: boolean): Incoming {
    const { envelope } = entry;
    const token = this.#base + this.#held.length - this.#first;
    this.#held.push(entry);
    this.#unsettled++;
    this.#member.took(entry.bytes);
    return {
      attributes: envelope.attributes,
      contentType: envelope.contentType,
      key: envelope.key,
      body: envelope.body,
      timestamp: envelope.timestamp,
      headers: envelope.headers,
      token,
      position: positioned ? String(entry.position) : undefined,
      redelivered,
      native: envelope,
    };
  }

  #settleUpTo(token: number): void {
    const last = Math.min(token, this.#base + this.#held.length - this.#first - 1);
    for (; this.#base <= last; this.#base++, this.#first++) this.#settleAt(this.#first);
    if (this.#first > 1_024 && this.#first * 2 > this.#held.length) {
      this.#held = this.#held.slice(this.#first);
      this.#first = 0;
    }
  }

  #settleOne(token: number): void {
    if (token >= this.#base) this.#settleAt(token - this.#base + this.#first);
  }

  #settleAt(at: number): void {
    const entry = this.#held[at];
    if (entry === undefined) return;
    this.#held[at] = undefined;
    this.#unsettled--;
    this.#member.released(entry.bytes);
    this.cursor.settle(entry.index);
  }
}
