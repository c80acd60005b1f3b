import { setTimeout as delay } from "node:timers/promises";

/** How long {@link until} waits, and how often it looks. */
export interface WaitOptions {
  /** What is waited for, as the error says it: "Kafka node 1 to answer". */
  readonly what: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds. @default 50 */
  readonly interval?: number;
}

/** Looks until the probe gives something but undefined or false; rejects after the timeout, or with what the probe throws. */
export async function until<T>(
  options: WaitOptions,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + options.timeout;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= deadline) throw new Error(`waited ${options.timeout / 1000} s for ${options.what}`);
    await delay(options.interval ?? 50);
  }
}
