import type { Delivery, Plugin } from "@waybill/core";
import type { Envelope, Outcome } from "@waybill/core/transport";

/** What a test bus is doing: who waits for it to be idle asks here. */
export class Activity {
  readonly #running = new Set<Delivery>();
  /** Those of pulls are in the hands of the test. */
  readonly #pulled = new Set<string>();
  #publishing = 0;
  /** Ids of messages that will be sent again when the clock is moved. */
  readonly #again = new Set<string | undefined>();

  /** Counts the attempts that run, of handlers and batches. */
  readonly plugin: Plugin = {
    name: "waybill-test-activity",
    consume: async (delivery, next) => {
      const { topic, group } = delivery;
      if (this.#pulled.has(`${topic} ${group}`)) return next();
      this.#running.add(delivery);
      try {
        await next();
      } finally {
        this.#running.delete(delivery);
      }
    },
  };

  pulls(topic: string, group: string | undefined): void {
    this.#pulled.add(`${topic} ${group}`);
  }

  /** Counts a publish until it is answered. */
  publishing(published: Promise<unknown>): void {
    this.#publishing++;
    const over = () => {
      this.#publishing--;
    };
    published.then(over, over);
  }

  answered(envelopes: readonly Envelope[], outcomes: readonly Outcome[]): void {
    for (const [i, { attributes }] of envelopes.entries()) {
      const outcome = outcomes[i];
      if (outcome?.stored !== true && outcome?.retry) this.#again.add(attributes.id);
      else this.#again.delete(attributes.id);
    }
  }

  /** What it is busy with, in words, or nothing. */
  get busyWith(): string | undefined {
    const [delivery] = this.#running;
    if (delivery !== undefined) {
      const { type, id, topic, group } = delivery;
      return `${this.#running.size} handlers run, the first of them for "${type}" (${id}) of topic "${topic}" in group "${group}"`;
    }
    if (this.#publishing > 0 && this.#again.size === 0) return `${this.#publishing} publishes are not answered`;
    return undefined;
  }
}
