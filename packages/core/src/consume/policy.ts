import { type Backoff, backoffDelay } from "../backoff.ts";
import { DeadLetter, RetryLater } from "../errors.ts";
import { toMilliseconds } from "../units.ts";

/** What happens to a message whose attempt has failed. Times are milliseconds. */
export interface FailurePolicy {
  /** Handler calls in place. */
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly retryIf: ((error: unknown) => boolean) | undefined;
  /** Delayed destinations after the attempts in place, shortest first as they were given. */
  readonly later: readonly number[];
  readonly onFailure: "dead-letter" | "block" | "stop";
}

/** How far a message has come. */
export interface Progress {
  /** Handler calls that count, this one included. */
  readonly attempts: number;
  /** Calls that counted before it came here from a delayed destination; 0 for one that has not been there. */
  readonly before: number;
  /** The delayed destination that comes next, as an index into `later`. */
  readonly level: number;
}

export type NextStep =
  /** In place. `counts: false`: the call is not counted. */
  | { readonly retryIn: number; readonly counts: boolean }
  /** Through a delayed destination, and `next` is the one after that. */
  | { readonly delay: number; readonly next: number; readonly counts: boolean }
  | "dead-letter"
  | "block"
  | "stop";

/**
 * Says what follows a failure: in place until the attempts are spent, then through the delayed destinations in turn with one call after each, then
 * what `onFailure` says. What no attempt can cure (`DeadLetter`, `retryIf`) is dead-lettered at once, whatever `onFailure` says.
 */
export function afterFailure(error: unknown, progress: Progress, policy: FailurePolicy, random?: () => number): NextStep {
  const { attempts, before, level } = progress;
  if (error instanceof DeadLetter) return "dead-letter";
  if (error instanceof RetryLater) return afterRetryLater(error, progress, policy);
  if (policy.retryIf !== undefined && !policy.retryIf(error)) return "dead-letter";
  // A message that comes from a delayed destination has one call before the next.
  if (before === 0 && attempts < policy.attempts)
    return { retryIn: backoffDelay(policy.backoff, attempts, random), counts: true };
  const delay = policy.later[level];
  return delay === undefined ? policy.onFailure : { delay, next: level + 1, counts: true };
}

/** The smallest delayed destination that is long enough; in place where there is none. */
function afterRetryLater(
  { after, counts }: RetryLater,
  { attempts, level }: Progress,
  { later, attempts: most, onFailure }: FailurePolicy,
): NextStep {
  const wait = toMilliseconds(after) ?? 0;
  if (counts && attempts >= most + later.length) return onFailure;
  const fitting = later.findIndex((ms) => ms >= wait);
  const delay = later[fitting];
  return delay === undefined ? { retryIn: wait, counts } : { delay, next: counts ? Math.max(level, fitting + 1) : level, counts };
}
