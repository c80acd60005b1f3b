/** Time, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `callback` once after `ms`. The function returned cancels it. A `background` timer alone keeps no process alive. */
  after(ms: number, callback: () => void, background?: boolean): () => void;
}

const LONGEST = 2_147_483_647;

/** The machine's clock. Its timers keep the process alive; delays beyond what a timer can hold are cut to that. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, callback, background = false) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST));
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`; rejects with the signal's own reason when that aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
