import type { Holding } from "./holding.ts";
import type { Entry, Stream } from "./stream.ts";

/** Where a group stands in a stream: what it has settled, and what is to be handed over next. */
export class Cursor {
  readonly stream: Stream;
  /** The members' holds on it: one at most, unless members compete. */
  readonly holdings = new Set<Holding>();
  #committed: number;
  #everSettled = false;
  #next: number;
  /** Settled ones behind {@link committed}. */
  readonly #ahead = new Set<number>();
  /** Handed over once and not settled, to be handed over again: the first is the last. */
  #returned: number[] = [];
  #gap = false;

  constructor(stream: Stream) {
    this.stream = stream;
    this.#committed = stream.start;
    this.#next = stream.start;
    stream.cursors.add(this);
  }

  /** Where the group begins, before anything was handed over. */
  begin(index: number): void {
    this.#committed = index;
    this.#next = index;
  }

  /** All in front of this index are settled. */
  get committed(): number {
    return this.#committed;
  }

  /** The position that the group stands at, once it has settled anything. */
  get position(): string | undefined {
    return this.#everSettled ? String(this.stream.positionAt(this.#committed)) : undefined;
  }

  /** How many wait to be handed over, nearly. */
  get waiting(): number {
    return this.#returned.length + this.stream.end - this.#next;
  }

  /** The next to hand over; `again` where it was handed over before. */
  peek(): { entry: Entry; again: boolean } | undefined {
    for (let index = this.#returned.at(-1); index !== undefined; index = this.#returned.at(-1)) {
      const entry = this.stream.at(index);
      if (entry !== undefined) return { entry, again: true };
      this.#returned.pop();
    }
    const entry = this.stream.at(this.#next);
    return entry && { entry, again: false };
  }

  /** Takes what {@link peek} showed. */
  take(again: boolean): void {
    if (again) this.#returned.pop();
    else this.#next++;
  }

  settle(index: number): void {
    if (index < this.#committed) return;
    this.#everSettled = true;
    if (index > this.#committed) {
      this.#ahead.add(index);
      if (!this.stream.retain) this.stream.remove(index);
      return;
    }
    do this.#committed++;
    while (this.#ahead.delete(this.#committed));
    if (!this.stream.retain) this.stream.dropTo(this.#committed);
  }

  /** Takes back what a member had and did not settle. */
  giveBack(indexes: readonly number[]): void {
    const unsettled = indexes.filter((index) => index >= this.#committed && !this.#ahead.has(index));
    this.#returned = [...this.#returned, ...unsettled].sort((a, b) => b - a);
    this.wake();
  }

  /** Something may be there to hand over. */
  wake(): void {
    for (const holding of this.holdings) holding.wake();
  }

  /** The head of the stream was dropped: what was not read of it is lost to the group, which is told. */
  overtaken(): void {
    const { start } = this.stream;
    const missed = this.#next < start || this.#returned.some((index) => index < start);
    this.#next = Math.max(this.#next, start);
    this.#committed = Math.max(this.#committed, start);
    this.#returned = this.#returned.filter((index) => index >= start);
    while (this.#ahead.delete(this.#committed)) this.#committed++;
    for (const index of this.#ahead) if (index < start) this.#ahead.delete(index);
    if (!missed) return;
    this.#gap = true;
    for (const holding of this.holdings) holding.renew();
  }

  /** Whether messages were dropped unread since this was last asked. */
  takeGap(): boolean {
    const gap = this.#gap;
    this.#gap = false;
    return gap;
  }
}
