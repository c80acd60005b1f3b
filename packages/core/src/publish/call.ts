import { PublishTimeoutError, WaybillError } from "../errors.ts";
import type { Topic } from "../topic.ts";
import type { Place } from "./line.ts";
import type { Route } from "./route.ts";
import type { Waiter } from "./watch.ts";

/** One message on its way to the sender. */
export class Call implements Waiter {
  readonly topic: Topic;
  readonly route: Route;
  readonly started: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  /** In the route's line; none for a call that never had to wait. */
  place: Place | undefined;
  /** Ends the caller's wait. */
  reject: (reason: unknown) => void = () => {};
  /** The caller has given up before anything was handed over: nothing may be sent any more. */
  over: { readonly reason: unknown } | undefined;

  constructor(topic: Topic, route: Route, started: number, timeout: number, signal: AbortSignal | undefined) {
    this.topic = topic;
    this.route = route;
    this.started = started;
    this.deadline = started + timeout;
    this.signal = signal;
  }

  giveUp(why: "timeout" | "abort" | "closed"): void {
    const reason = why === "abort" ? this.signal?.reason : why === "timeout" ? this.#timedOut() : this.#closed();
    this.over = { reason };
    this.place?.leave();
    this.reject(reason);
  }

  #timedOut(): PublishTimeoutError {
    const { name } = this.topic;
    const message = `A message to topic "${name}" could not be sent in time: its topic was not ready, or validation, a plugin, the codec or an earlier call took too long. It was not stored.`;
    return new PublishTimeoutError("no", message, { topic: name });
  }

  #closed(): WaybillError {
    const { name } = this.topic;
    return new WaybillError(
      "WAYBILL_CLOSED",
      `The bus was closed before a message to topic "${name}" was sent. It was not stored.`,
      {
        topic: name,
      },
    );
  }
}
