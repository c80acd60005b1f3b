/** Milliseconds that `work` takes. */
export async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Per second, of `count` in `ms`. */
export function perSecond(count: number, ms: number): number {
  return (count * 1_000) / ms;
}

/** Calls `call` for 0 to `count - 1`, at most `limit` at a time. */
export async function inFlight(limit: number, count: number, call: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, caller));
}

/** Takes the time from the first of `total` calls of `tick` to the last. */
export class Stopwatch {
  /** Milliseconds; resolves with the last call. */
  readonly elapsed: Promise<number>;
  readonly #total: number;
  readonly #finish: (ms: number) => void;
  #count = 0;
  #start = 0;

  constructor(total: number) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.elapsed = promise;
    this.#total = total;
    this.#finish = resolve;
  }

  tick(): void {
    if (this.#count++ === 0) this.#start = performance.now();
    if (this.#count === this.#total) this.#finish(performance.now() - this.#start);
  }
}
