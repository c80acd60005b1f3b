import type { Envelope } from "@waybill/core/transport";
import type { Cursor } from "./cursor.ts";

/** A stored message. */
export interface Entry {
  readonly envelope: Envelope;
  /** Its place in the stream, without gaps. */
  readonly index: number;
  /** What the outside sees of its place. */
  readonly position: number;
  /** When it was stored. */
  readonly at: number;
  readonly bytes: number;
}

/** How much all streams of a broker hold together. */
export interface Memory {
  used: number;
}

export interface StreamOptions {
  readonly memory: Memory;
  /** Whether settled messages stay, for groups to come. */
  readonly retain: boolean;
  /** Skips a position after so many. */
  readonly gapEvery?: number | undefined;
}

/** An append log: a partition of a topic, the queue of a group, its replays, or its dead letters. */
export class Stream {
  readonly retain: boolean;
  /** The groups that read it. */
  readonly cursors = new Set<Cursor>();
  readonly #memory: Memory;
  readonly #gapEvery: number | undefined;
  /** Entries from `#start - #dropped` on; those in front of `#start` are gone already. */
  #entries: (Entry | undefined)[] = [];
  #dropped = 0;
  #start = 0;
  #position = 0;

  constructor(options: StreamOptions) {
    this.#memory = options.memory;
    this.retain = options.retain;
    this.#gapEvery = options.gapEvery;
  }

  /** Index of the first that is still here. */
  get start(): number {
    return this.#start;
  }

  /** Index of the next to come. */
  get end(): number {
    return this.#start - this.#dropped + this.#entries.length;
  }

  at(index: number): Entry | undefined {
    return index < this.#start ? undefined : this.#entries[index - this.#start + this.#dropped];
  }

  append(envelope: Envelope, bytes: number, at: number): Entry {
    const index = this.end;
    const entry = { envelope, index, position: this.#position++, at, bytes };
    if (this.#gapEvery !== undefined && (index + 1) % this.#gapEvery === 0) this.#position++;
    this.#entries.push(entry);
    this.#memory.used += bytes;
    for (const cursor of this.cursors) cursor.wake();
    return entry;
  }

  /** The position that a reader at `index` stands at: that of the message there, or of the next to come. */
  positionAt(index: number): number {
    return this.at(index)?.position ?? this.#position;
  }

  /** Index of the first message of `time` or later, by the time its publisher gave it. */
  seek(time: number): number {
    for (let index = this.#start; index < this.end; index++) {
      if ((this.at(index)?.envelope.timestamp ?? Number.NEGATIVE_INFINITY) >= time) return index;
    }
    return this.end;
  }

  /** Forgets one message that is settled. */
  remove(index: number): void {
    const entry = this.at(index);
    if (entry === undefined) return;
    this.#memory.used -= entry.bytes;
    this.#entries[index - this.#start + this.#dropped] = undefined;
  }

  /** Forgets one message that nobody reads in order, wherever it stands. */
  discard(index: number): void {
    this.remove(index);
    let first = this.#start;
    while (first < this.end && this.at(first) === undefined) first++;
    this.dropTo(first);
  }

  /** Forgets all in front of `index`. */
  dropTo(index: number): void {
    while (this.#start < index) {
      this.remove(this.#start);
      this.#start++;
      this.#dropped++;
    }
    // Moving the rest up costs as much as it frees, so it is done rarely.
    if (this.#dropped > 1_024 && this.#dropped * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#dropped);
      this.#dropped = 0;
    }
  }

  /** Forgets what was stored before `time`, whether it was read or not. */
  expire(time: number): void {
    let index = this.#start;
    while (index < this.end && (this.at(index)?.at ?? 0) < time) index++;
    if (index === this.#start) return;
    this.dropTo(index);
    for (const cursor of this.cursors) cursor.overtaken();
  }

  /** How many at the head every reader has settled. */
  get spent(): number {
    let settled = this.end;
    for (const cursor of this.cursors) settled = Math.min(settled, cursor.committed);
    return settled - this.#start;
  }

  /** Every message that is here. */
  *[Symbol.iterator](): Generator<Entry> {
    for (let index = this.#start; index < this.end; index++) {
      const entry = this.at(index);
      if (entry !== undefined) yield entry;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.dropTo(this.end);
  }
}
