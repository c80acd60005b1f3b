/** Nobody will ever answer at this address. */
export class NoSuchPagerError extends Error {
  override readonly name = "NoSuchPagerError";
}

/** Of a hundred addresses, how many fail for good, and how many for a while. */
const GONE = 1;
const FLAKY = 12;

/**
 * Stands for somebody else's paging service, which fails now and then. Which alerts fail follows from their number alone, so that every
 * run sees the same failures. As such services do, it takes an idempotency key and sends nothing twice.
 */
export class Pager {
  /** Keys of what was sent. */
  readonly sent = new Set<string>();
  /** Calls for what had been sent before. */
  repeated = 0;
  readonly #failures = new Map<string, number>();

  async send(idempotencyKey: string, address: number): Promise<void> {
    if (this.sent.has(idempotencyKey)) {
      this.repeated += 1;
      return;
    }
    const luck = scatter(address) % 100;
    if (luck < GONE) throw new NoSuchPagerError(`pager ${address} does not exist`);
    const failures = this.#failures.get(idempotencyKey) ?? 0;
    if (luck < GONE + FLAKY && failures <= address % 2) {
      this.#failures.set(idempotencyKey, failures + 1);
      throw new Error(`pager ${address} is busy`);
    }
    this.sent.add(idempotencyKey);
  }
}

/** Neighbours get numbers that have nothing to do with each other (Knuth's multiplicative hash). */
function scatter(n: number): number {
  return Math.imul(n, 2_654_435_761) >>> 16;
}
