/**
 * Calls in the order in which they joined. Each works at its own pace and waits for its turn before it sends; whoever leaves, for whatever
 * reason, frees the way.
 */
export class Line {
  #first: Place | undefined;
  #last: Place | undefined;

  /** Nobody is ahead of who would join now. */
  get free(): boolean {
    return this.#first === undefined;
  }

  join(): Place {
    const place = new Place(() => this.#advance());
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    if (this.#first === place) place.open();
    return place;
  }

  #advance(): void {
    while (this.#first?.gone) this.#first = this.#first.next;
    if (this.#first === undefined) this.#last = undefined;
    else this.#first.open();
  }
}

/** A call's place in a {@link Line}. */
export class Place {
  /** Resolves when nobody is ahead any more. */
  readonly turn: Promise<void>;
  readonly open: () => void;
  next: Place | undefined;
  gone = false;
  readonly #left: () => void;

  constructor(left: () => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.turn = promise;
    this.open = resolve;
    this.#left = left;
  }

  /** Idempotent. */
  leave(): void {
    if (this.gone) return;
    this.gone = true;
    this.#left();
  }
}
