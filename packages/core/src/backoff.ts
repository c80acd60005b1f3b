/** How long to wait between attempts, as data. Milliseconds. */
export interface Backoff {
  readonly initial: number;
  readonly max: number;
  /** @default 2 */
  readonly factor?: number;
}

/**
 * The wait after the `attempt`-th failure (1 for the first): a random part of an exponentially growing span, so that many who failed together
 * do not come back together ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function backoffDelay({ initial, max, factor = 2 }: Backoff, attempt: number, random: () => number = Math.random): number {
  return Math.min(max, initial * factor ** Math.min(attempt - 1, 64)) * random();
}

/** How adapters reconnect, and how core sends again what may not have been stored. */
export const RECONNECT: Backoff = { initial: 100, max: 3_000 };
