import { WaybillError } from "../../src/errors.ts";
import type { Destination, Envelope, Outcome, TransportPublisher } from "../../src/transport.ts";
import type { ManualClock } from "../manual-clock.ts";

/** What becomes of one call of publish. */
export interface Plan {
  /** Milliseconds until the answer. */
  readonly delay: number;
  /** After so many messages the connection goes. */
  readonly answered: number;
  /** So many of the rest are stored nevertheless: all of the rest is in doubt then. */
  readonly stored: number;
  /** How the transport behaves towards core. */
  readonly contract: "keeps" | "rejects" | "miscounts";
}

const SMOOTH: Plan = { delay: 1, answered: Number.POSITIVE_INFINITY, stored: 0, contract: "keeps" };

/** Names what {@link ModelBroker} refuses for good. */
export const REFUSED = "refused";

/** A transport whose calls go as planned, and smoothly after that. It remembers what it was given and what it stored. */
export class ModelBroker implements TransportPublisher {
  /** Ids by destination, in the order of storage. */
  readonly logs = new Map<string, string[]>();
  /** Ids of every batch, in the order of the calls. */
  readonly batches: string[][] = [];
  readonly refused = new Set<string>();
  readonly violations: string[] = [];
  readonly #clock: ManualClock;
  readonly #plans: Plan[];
  readonly #busy = new Set<string>();
  /** Called with each batch as it is handed over. */
  onBatch: (to: Destination, batch: readonly Envelope[]) => void = () => {};
  closed = 0;
  outstanding = 0;

  constructor(clock: ManualClock, plans: readonly Plan[] = []) {
    this.#clock = clock;
    this.#plans = [...plans];
  }

  async publish(
    to: Destination,
    batch: readonly Envelope[],
    { deadline }: { readonly deadline: number },
  ): Promise<readonly Outcome[]> {
    const name = `${to.kind}/${to.topic.name}/${to.partition}`;
    const ids = batch.map((envelope) => envelope.attributes.id as string);
    if (this.#busy.has(name)) this.violations.push(`a second call for ${name} while one is in flight`);
    if (!(Number.isFinite(deadline) && deadline > this.#clock.now()))
      this.violations.push(`a call with the deadline ${deadline}`);
    for (const id of ids) if (this.refused.has(id)) this.violations.push(`${id} was sent again after it was refused`);
    this.onBatch(to, batch);
    this.batches.push(ids);
    this.#busy.add(name);
    this.outstanding += batch.length;
    const plan = this.#plans.shift() ?? SMOOTH;
    const outcomes = this.#carryOut(name, batch, plan);
    await new Promise<void>((resolve) => this.#clock.after(plan.delay, resolve));
    this.#busy.delete(name);
    this.outstanding -= batch.length;
    if (plan.contract === "rejects") throw new Error("a defect of the adapter");
    return plan.contract === "miscounts" ? outcomes.slice(1) : outcomes;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  log(name: string): string[] {
    let log = this.logs.get(name);
    if (log === undefined) {
      log = [];
      this.logs.set(name, log);
    }
    return log;
  }

  #carryOut(name: string, batch: readonly Envelope[], plan: Plan): Outcome[] {
    const log = this.log(name);
    return batch.map((envelope, i): Outcome => {
      const id = envelope.attributes.id as string;
      const refuse = envelope.headers.some(([header]) => header === REFUSED);
      const answered = i < plan.answered;
      if (!refuse && (answered || i < plan.answered + plan.stored)) log.push(id);
      if (!answered) {
        const error = new WaybillError("WAYBILL_CONNECTION_FAILED", "The connection went.", { retryable: true });
        return { stored: plan.stored > 0 ? "unknown" : false, retry: true, error };
      }
      if (!refuse) return { stored: true, position: String(log.length - 1) };
      if (plan.contract === "keeps") this.refused.add(id);
      return { stored: false, retry: false, error: new WaybillError("WAYBILL_PUBLISH_REFUSED", "Refused.") };
    });
  }
}
