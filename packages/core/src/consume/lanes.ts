import type { Entry } from "./entry.ts";

/**
 * One lane for each key that has work now: its entries in order, of which only the first may be worked on. A key without work costs nothing, however
 * many were seen.
 */
export class Lanes {
  /** The last entry of each lane. */
  readonly #tails = new Map<string, Entry>();

  /** Adds an entry at the end of its key's lane. True when it is the first, and so may start. */
  add(lane: string, entry: Entry): boolean {
    const tail = this.#tails.get(lane);
    entry.lane = lane;
    entry.first = tail === undefined;
    if (tail !== undefined) tail.next = entry;
    this.#tails.set(lane, entry);
    return entry.first;
  }

  /** Takes a first entry out. Returns the one that is first now. */
  leave(entry: Entry): Entry | undefined {
    const { lane, next } = entry;
    if (lane === undefined) return undefined;
    entry.lane = entry.next = undefined;
    if (next === undefined) this.#tails.delete(lane);
    else next.first = true;
    return next;
  }
}

/** The lane of a key: its exact bytes, one character each, so that two keys never share one. */
export function laneKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
