import type { Destination, Outcome } from "@waybill/core/transport";

/** A publish that goes wrong, so many times. */
export interface PublishFault {
  /** @default every topic */
  readonly topic?: string | undefined;
  /** @default 1 */
  readonly times?: number | undefined;
  /** What is answered instead of storing the message. */
  readonly outcome: Exclude<Outcome, { stored: true }>;
}

/** Messages that are handed over twice, as after a crash between handling and settling. */
export interface RedeliverFault {
  /** @default every topic */
  readonly topic?: string | undefined;
  /** @default 1 */
  readonly times?: number | undefined;
}

/** What shall go wrong, and how often still. */
export class Faults {
  readonly #publishes: { topic: string | undefined; left: number; outcome: PublishFault["outcome"] }[] = [];
  readonly #redeliveries: { topic: string | undefined; left: number }[] = [];

  failPublishes({ topic, times = 1, outcome }: PublishFault): void {
    this.#publishes.push({ topic, left: times, outcome });
  }

  redeliver({ topic, times = 1 }: RedeliverFault = {}): void {
    this.#redeliveries.push({ topic, left: times });
  }

  /** The outcome of a publish that shall fail. Copies for retries and dead letters do not. */
  takePublish(to: Destination): PublishFault["outcome"] | undefined {
    return to.kind === "topic" ? take(this.#publishes, to.topic.name)?.outcome : undefined;
  }

  /** Whether a delivery of `topic` shall happen twice. */
  takeRedelivery(topic: string): boolean {
    return take(this.#redeliveries, topic) !== undefined;
  }
}

function take<T extends { topic: string | undefined; left: number }>(faults: T[], topic: string): T | undefined {
  if (faults.length === 0) return undefined;
  const at = faults.findIndex((fault) => fault.topic === undefined || fault.topic === topic);
  const fault = faults[at];
  if (fault !== undefined && --fault.left <= 0) faults.splice(at, 1);
  return fault;
}
