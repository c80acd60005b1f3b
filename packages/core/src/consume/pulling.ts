import type { Delivery } from "../message.ts";
import type { BlockedDelivery, Status } from "../subscription.ts";
import type { Duration } from "../units.ts";
import type { Handout, Puller } from "./pull.ts";
import type { RunningSubscription } from "./running.ts";

/** The puller of {@link Bus.pull}: a subscription whose handler is whoever receives. */
export class RunningPuller implements Puller<Delivery> {
  readonly #subscription: RunningSubscription;
  readonly #handout: Handout;

  constructor(subscription: RunningSubscription, handout: Handout) {
    this.#subscription = subscription;
    this.#handout = handout;
  }

  get topic(): string {
    return this.#subscription.topic;
  }

  get group(): string {
    return this.#subscription.group;
  }

  get closed(): Promise<Error | undefined> {
    return this.#subscription.closed;
  }

  get status(): Status {
    return this.#subscription.status;
  }

  get blocked(): readonly BlockedDelivery[] {
    return this.#subscription.blocked;
  }

  release(id: string, how?: "retry" | "skip"): boolean {
    return this.#subscription.release(id, how);
  }

  receive(options: { timeout?: Duration; signal?: AbortSignal } = {}): Promise<Delivery | undefined> {
    return this.#handout.receive(options);
  }

  pause(): void {
    this.#subscription.pause();
  }

  resume(): void {
    this.#subscription.resume();
  }

  drain(options?: { timeout?: Duration }): Promise<void> {
    return this.#subscription.drain(options);
  }

  close(options?: { timeout?: Duration }): Promise<void> {
    return this.#subscription.close(options);
  }

  /** Ends when the puller closes. Leaving it early loses nothing: what was not received stays. */
  async *[Symbol.asyncIterator](): AsyncIterator<Delivery> {
    while (!this.#handout.closed) {
      const delivery = await this.receive();
      if (delivery !== undefined) yield delivery;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
