import type { BusEvents, Plugin } from "@waybill/core";

/** Counts what went wrong on every bus that uses it: all that a plugin needs is a name and the events it wants to hear of. */
export class Incidents implements Plugin {
  readonly name = "incidents";
  retries = 0;
  connectionsLost = 0;
  /** Why, by message id. */
  readonly deadLetters = new Map<string, string>();

  readonly on = {
    failed: ({ retryIn }: BusEvents["failed"]): void => {
      if (retryIn !== undefined) this.retries += 1;
    },
    settled: ({ delivery, outcome, error }: BusEvents["settled"]): void => {
      if (outcome === "dead-letter") this.deadLetters.set(delivery.id, error instanceof Error ? error.message : String(error));
    },
    disconnected: ({ error }: BusEvents["disconnected"]): void => {
      if (error !== undefined) this.connectionsLost += 1;
    },
  };
}
