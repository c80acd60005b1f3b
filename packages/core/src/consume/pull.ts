import type { Clock } from "../clock.ts";
import { WaybillError } from "../errors.ts";
import type { Delivery } from "../message.ts";
import type { Subscription } from "../subscription.ts";
import { type Duration, toMilliseconds } from "../units.ts";
import { KeepPlace } from "./attempt.ts";
import type { LiveDelivery } from "./delivery.ts";

/** A subscription whose deliveries are asked for, one at a time, and settled by `ack()` or `nack()`. */
export interface Puller<D> extends Subscription, AsyncIterable<D> {
  /**
   * The next delivery, or `undefined` after `timeout` or when the puller closes. Waits while `concurrency` deliveries are unsettled.
   * Rejects with the reason of `signal`, and with `CLOSED` on a puller that is closed. @default timeout none
   */
  receive(options?: { timeout?: Duration; signal?: AbortSignal }): Promise<D | undefined>;
}

interface Receiver {
  give(delivery: Delivery | undefined): void;
}

/** Stands between a dispatcher, which starts an entry when one is wanted, and those who call `receive`. */
export class Handout {
  readonly #clock: Clock;
  readonly #receivers = new Set<Receiver>();
  /** Given to nobody: who had asked has gone meanwhile. */
  readonly #over: { readonly delivery: LiveDelivery; readonly putBack: () => void }[] = [];
  #coming = 0;
  #closed = false;
  #onDemand: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back whenever another entry may be wanted. */
  set onDemand(callback: () => void) {
    this.#onDemand = callback;
  }

  get wanted(): boolean {
    return this.#receivers.size > this.#coming;
  }

  /** An entry was started. The function returned says that it came to nothing, or came. */
  starting(): () => void {
    this.#coming++;
    let open = true;
    return () => {
      if (open) this.#coming--;
      open = false;
    };
  }

  /** The handler of a pulled delivery: ends when that is settled. */
  hand(delivery: LiveDelivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const putBack = () => reject(new KeepPlace());
      if (this.#closed) return putBack();
      delivery.onSettled = resolve;
      const [receiver] = this.#receivers;
      if (receiver === undefined) this.#over.push({ delivery, putBack });
      else receiver.give(delivery);
    });
  }

  receive({ timeout, signal }: { timeout?: Duration; signal?: AbortSignal }): Promise<Delivery | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new WaybillError("WAYBILL_CLOSED", "The puller is closed."));
      if (signal?.aborted) return reject(signal.reason);
      const ms = timeout === undefined ? undefined : toMilliseconds(timeout);
      if (timeout !== undefined && ms === undefined) {
        return reject(
          new WaybillError("WAYBILL_CONFIG_INVALID", `"timeout" is ${JSON.stringify(timeout)}, not a duration such as "30s".`),
        );
      }
      const earlier = this.#over.shift();
      if (earlier !== undefined) return resolve(earlier.delivery);
      const leave = () => {
        this.#receivers.delete(receiver);
        cancel?.();
        signal?.removeEventListener("abort", onAbort);
      };
      const receiver: Receiver = {
        give: (delivery) => {
          leave();
          resolve(delivery);
        },
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      const cancel = ms === undefined ? undefined : this.#clock.after(ms, () => receiver.give(undefined));
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#receivers.add(receiver);
      this.#onDemand();
    });
  }

  /** Whoever waits gets nothing; what nobody has taken goes back. */
  close(): void {
    this.#closed = true;
    for (const receiver of this.#receivers) receiver.give(undefined);
    for (const { putBack } of this.#over.splice(0)) putBack();
  }

  get closed(): boolean {
    return this.#closed;
  }
}
