import { type Envelope, type Outcome, type TransportConsumer, WaybillError } from "@waybill/core/transport";
import { publishing, type Tamper } from "../tamper.ts";

/** One broken promise, and who must notice. */
export interface Sabotage {
  readonly name: string;
  /** A new one for each run, because some count. */
  readonly tamper: () => Tamper;
  /** @default none */
  readonly like?: "kafka" | "rabbitmq";
  /** How the checks that must fail begin, and what they must say. */
  readonly caughtBy: Readonly<Record<string, RegExp>>;
}

export const STORED: Outcome = { stored: true, position: undefined };

/** Milliseconds: a little too late. */
export const SOON = 20;

/** Will not be stored, and need not be tried again. */
export function refusal(why: string): Outcome {
  return { stored: false, retry: false, error: new WaybillError("WAYBILL_PUBLISH_REFUSED", why) };
}

/** Consumes nothing. */
export const idle: TransportConsumer = { ready: Promise.resolve(), close: async () => undefined };

/** What is still waited for when the test is over. */
export const never = () => new Promise<never>(() => undefined);

/** Changes each envelope before it is stored. */
export const storing = (change: (envelope: Envelope) => Envelope) =>
  publishing((next) => (to, batch, options) => next(to, batch.map(change), options));

/** Stores some envelopes in place of one. */
export const instead = (change: (envelope: Envelope) => readonly Envelope[]) =>
  publishing((next) => async (to, batch, options) => {
    const outcomes: Outcome[] = [];
    for (const envelope of batch) outcomes.push((await next(to, change(envelope), options))[0] ?? STORED);
    return outcomes;
  });
