/** Work for the next turn of the event loop, in order: nothing that the broker does runs inside its caller. */
export class Turns {
  #queue: (() => void)[] = [];

  get quiet(): boolean {
    return this.#queue.length === 0;
  }

  next(work: () => void): void {
    if (this.#queue.push(work) === 1) setImmediate(this.#run);
  }

  /** Resolves in the next turn. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.next(resolve));
  }

  readonly #run = (): void => {
    const queue = this.#queue;
    this.#queue = [];
    let done = 0;
    try {
      for (const work of queue) {
        done++;
        work();
      }
    } finally {
      // A sink that throws breaks its contract, but only for itself.
      for (const work of queue.slice(done)) this.next(work);
    }
  };
}
