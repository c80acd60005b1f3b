import type { Entry } from "./entry.ts";

/** The entries of one key in order, of which only the first may be worked on. */
export interface Lane {
  readonly key: string;
  head: Entry;
  tail: Entry;
}

/** One lane for each key that has work now: a key without work costs nothing, however many were seen. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  get size(): number {
    return this.#lanes.size;
  }

  /** Adds an entry at the end of its key's lane. True when it is the first, and so may start. */
  add(key: string, entry: Entry): boolean {
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      entry.lane = { key, head: entry, tail: entry };
      this.#lanes.set(key, entry.lane);
      return true;
    }
    entry.lane = lane;
    lane.tail.next = entry;
    lane.tail = entry;
    return false;
  }

  /** Whether nobody of its key is before it. */
  isFirst(entry: Entry): boolean {
    return entry.lane === undefined || entry.lane.head === entry;
  }

  /** Takes a first entry out. Returns the one that is first now. */
  leave(entry: Entry): Entry | undefined {
    const { lane, next } = entry;
    if (lane === undefined) return undefined;
    entry.lane = entry.next = undefined;
    if (next === undefined) this.#lanes.delete(lane.key);
    else lane.head = next;
    return next;
  }
}

/** The lane of a key: its exact bytes, one character each, so that two keys never share one. */
export function laneKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
