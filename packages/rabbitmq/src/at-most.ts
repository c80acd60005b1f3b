import type { Clock } from "@waybill/core/transport";

/** Waits for `promise`, `ms` at most, and leaves no timer behind: one would keep the process alive. */
export async function atMost(ms: number, clock: Clock, promise: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await Promise.race([promise, over]).finally(cancel);
}
