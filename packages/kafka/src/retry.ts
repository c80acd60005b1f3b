import { backoffDelay, type Clock, RECONNECT, sleep, type WaitOptions } from "@waybill/core/transport";
import { EngineError } from "./engine.ts";
import { toWaybillError } from "./errors.ts";

/** Tries until it succeeds or until no retry can help; a broker that is down is waited for. Rejects with the signal's reason when that aborts. */
export async function persist<T>(
  action: () => Promise<T>,
  { what, clock, signal, failed }: WaitOptions & { readonly what: string; readonly clock: Clock; failed?(error: unknown): void },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await withSignal(action(), signal);
    } catch (error) {
      signal?.throwIfAborted();
      failed?.(error);
      if (!(error instanceof EngineError) || !error.retriable) throw toWaybillError(error, what);
      await sleep(clock, backoffDelay(RECONNECT, attempt), signal);
    }
  }
}

function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
