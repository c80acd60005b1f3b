import type { Destination, Envelope, Outcome, TransportPublisher } from "@waybill/core/transport";
import * as errors from "./errors.ts";
import type { Link } from "./link.ts";

/** Publishes over a link. Several may stand on one; closing one leaves the others open. */
export class MemoryPublisher implements TransportPublisher {
  readonly #link: Link;
  readonly #purpose: "publish" | "copy";
  #closed = false;

  constructor(link: Link, purpose: "publish" | "copy") {
    this.#link = link;
    this.#purpose = purpose;
  }

  async publish(
    to: Destination,
    batch: readonly Envelope[],
    options: { readonly deadline: number },
  ): Promise<readonly Outcome[]> {
    const link = this.#link;
    const { broker } = link;
    if (this.#closed || link.closed) return all(batch, { stored: false, retry: false, error: errors.closed(broker.name) });
    link.use("publish");
    if (!link.up && !(await link.waitUp(options.deadline - link.clock.now()))) {
      return all(batch, { stored: false, retry: !link.closed, error: errors.disconnected(broker.name) });
    }
    const outcomes = broker.publish(to, batch, this.#purpose);
    const { cuts } = link;
    return new Promise((resolve) => {
      broker.turns.next(() => {
        const answered = link.cuts === cuts;
        resolve(answered ? outcomes : all(batch, { stored: "unknown", retry: true, error: errors.disconnected(broker.name) }));
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

function all(batch: readonly Envelope[], outcome: Outcome): Outcome[] {
  return batch.map(() => outcome);
}
