import type { Capabilities } from "@waybill/core";
import type { Harness } from "./harness.ts";
import type { Lab } from "./lab.ts";

/** One thing that a right transport does, as checks that can each fail for one reason. Plain data: a test runner turns it into tests. */
export interface Behaviour {
  readonly name: string;
  readonly checks: readonly Check[];
}

export interface Check {
  /** A sentence about what holds. */
  readonly name: string;
  /** What the broker or the harness must have. Without it the check is skipped, and says why. */
  readonly needs?: readonly Need[] | undefined;
  /** Milliseconds. @default 60_000 */
  readonly timeout?: number | undefined;
  /** Rejects when it does not hold. */
  run(lab: Lab): Promise<void>;
}

/** What a check may need. */
export type Need = keyof typeof missing;

type Reason = (capabilities: Capabilities, harness: Harness) => string | undefined;

const KIB = 1_024;

/** Why a need is not met. */
const missing = {
  log: ({ log }) => (log ? undefined : "this broker keeps no log"),
  delay: ({ delay }) => (delay ? undefined : "this broker cannot put a message aside for a time"),
  unroutable: ({ unroutable }) => (unroutable ? undefined : "this broker stores what nobody takes"),
  "900 KiB": ({ maxMessageBytes = Number.POSITIVE_INFINITY }) =>
    maxMessageBytes > 960 * KIB ? undefined : `this broker takes ${maxMessageBytes} bytes at most`,
  "largest message": ({ maxMessageBytes = Number.POSITIVE_INFINITY }) =>
    maxMessageBytes <= 32 * KIB * KIB ? undefined : "this transport states no limit that a test could exceed",
  foreign: (_, { foreign }) => (foreign ? undefined : "the harness has no foreign publisher"),
  broker: (_, { broker }) => (broker ? undefined : "the harness has no broker that may be stopped"),
  badCredentials: (_, { badCredentials }) => (badCredentials ? undefined : "the harness has no wrong credentials"),
} satisfies Record<string, Reason>;

/** Why a check cannot run here, if it cannot. */
export function skipReason(check: Check, capabilities: Capabilities, harness: Harness): string | undefined {
  for (const need of check.needs ?? []) {
    const reason: Reason = missing[need];
    const why = reason(capabilities, harness);
    if (why !== undefined) return why;
  }
  return undefined;
}
