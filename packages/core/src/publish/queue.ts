/** What an item needs to stand in a {@link Queue}: in one at a time. */
export interface Linked<T> {
  ahead: T | undefined;
  behind: T | undefined;
}

/** First in, first out, with any item removable: all in constant time. */
export class Queue<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    item.ahead = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
    this.#size++;
  }

  /** In front of all. */
  unshift(item: T): void {
    item.behind = this.#first;
    if (this.#first === undefined) this.#last = item;
    else this.#first.ahead = item;
    this.#first = item;
    this.#size++;
  }

  /** `item` stands in this queue. */
  remove(item: T): void {
    if (item.ahead === undefined) this.#first = item.behind;
    else item.ahead.behind = item.behind;
    if (item.behind === undefined) this.#last = item.ahead;
    else item.behind.ahead = item.ahead;
    item.ahead = undefined;
    item.behind = undefined;
    this.#size--;
  }
}
