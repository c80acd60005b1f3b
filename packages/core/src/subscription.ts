import type { Delivery } from "./message.ts";
import type { Duration } from "./units.ts";

/** A delivery that failed for good and keeps what is behind it waiting. */
export interface BlockedDelivery {
  readonly delivery: Delivery;
  readonly error: unknown;
}

/** The handle of a running handler. */
export interface Subscription extends AsyncDisposable {
  readonly topic: string;
  readonly group: string;
  /** Resolves with the error that ended it, or with nothing after `close()`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** As health has it: `"degraded"` with handlers that do not come back or copies that cannot be written, `"down"` with a blocked key or when it ended. */
  readonly status: Status;
  /** Under `onFailure: "block"` or `"stop"`: what failed for good in this member. A stopped partition goes on in its next owner, or after a restart. */
  readonly blocked: readonly BlockedDelivery[];
  /**
   * Lets the key of a blocked message go on: `"retry"` tries that again with all its attempts, `"skip"` settles it as it is. False where no
   * message of that id blocks its key here. @default how "retry"
   */
  release(id: string, how?: "retry" | "skip"): boolean;
  /** Starts no more handlers; those that run go on. */
  pause(): void;
  resume(): void;
  /** Pauses, waits for what was started, and settles it; `resume()` goes on. Rejects with `CLOSE_TIMEOUT` when that takes longer. @default timeout "25s" */
  drain(options?: { timeout?: Duration }): Promise<void>;
  /**
   * Drains, then leaves the group. What still runs after `timeout` is aborted by its `signal`, and the call rejects with `CLOSE_TIMEOUT` after everything
   * was released. Idempotent. @default timeout "25s"
   */
  close(options?: { timeout?: Duration }): Promise<void>;
}

/** `"degraded"`: it works, but somebody should look. `"down"`: it does not. */
export type Status = "up" | "degraded" | "down";

/** What health says of one subscription. */
export interface SubscriptionHealth {
  readonly topic: string;
  readonly group: string;
  readonly status: Status;
  /** Messages taken and not settled. */
  readonly inFlight: number;
  /** Age of the oldest of them, in milliseconds. */
  readonly oldestMs: number;
}
