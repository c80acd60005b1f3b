/** A number of messages and of bytes. */
export interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

/** What may be in flight at once. */
export class Budget {
  readonly #limits: Amount;
  #messages = 0;
  #bytes = 0;

  constructor(limits: Amount) {
    this.#limits = limits;
  }

  get used(): Amount {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** A message larger than all there is fits when nothing else is in flight. */
  fits(bytes: number): boolean {
    return this.#messages === 0 || (this.#messages < this.#limits.messages && this.#bytes + bytes <= this.#limits.bytes);
  }

  take(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
  }
}
