import type { Delivery, Message } from "./message.ts";
import type { Receipt } from "./publisher.ts";

/**
 * Wraps publishing and consuming, and hears what happens. The first added is the outermost.
 * One wrapper serves handlers, batch items and pulled deliveries alike.
 */
export interface Plugin {
  readonly name: string;
  /**
   * Around each publish, after the payload was validated and before it is encoded. `next` takes the message on, changed or not; what it sends may
   * carry header names that users are refused (`traceparent`). Without a call of `next` nothing is sent. Messages keep the order of the calls.
   */
  publish?(message: Message, next: (message: Message) => Promise<Receipt>): Promise<Receipt>;
  /** Around each attempt of each delivery. */
  consume?(delivery: Delivery, next: () => Promise<void>): Promise<void>;
  /** Listeners: called synchronously; what one throws is logged and changes nothing. */
  readonly on?: { readonly [K in keyof BusEvents]?: (event: BusEvents[K]) => void };
}

/** What a bus tells its plugins. Times are milliseconds. */
export interface BusEvents {
  connected: { readonly role: "publish" | "consume" };
  disconnected: { readonly role: "publish" | "consume"; readonly error: Error | undefined };
  /** The broker has stored a message; `ms` since the call of publish. */
  published: { readonly message: Message; readonly receipt: Receipt; readonly ms: number };
  /** A delivery is over and will be settled; `ms` since its first attempt began. */
  settled: {
    readonly delivery: Delivery;
    readonly outcome: "done" | "ignored" | "dead-letter" | "later";
    readonly error: unknown;
    readonly ms: number;
  };
  /** An attempt failed. `retryIn` is `undefined` when it was the last. */
  failed: { readonly delivery: Delivery; readonly error: unknown; readonly retryIn: number | undefined };
  /** A message failed for good under `onFailure: "block"`, and its key waits; or under `"stop"`, and its partition does. */
  blocked: { readonly delivery: Delivery; readonly error: unknown; readonly stopped: boolean };
  /** A handler runs on after its timeout or the drain deadline; `ms` since its attempt began. */
  stuck: { readonly delivery: Delivery; readonly ms: number };
  /** This member owns a partition from now on. */
  gained: PartitionEvent;
  /** This member owned it. Without `"handed-over"` or `"closed"` its handlers may still run while another member has it. */
  lost: PartitionEvent & { readonly why: "handed-over" | "fenced" | "connection" | "closed" };
  /** The broker dropped messages by its retention before this group had read them. */
  gap: PartitionEvent;
  /** `pause()` or `resume()` of a subscription was called. */
  paused: { readonly topic: string; readonly group: string };
  resumed: { readonly topic: string; readonly group: string };
}

/** Something that happened to a partition of a subscription. */
export interface PartitionEvent {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  /** Of the ownership, as in `delivery.epoch`. */
  readonly epoch: string;
}

/** How the parts of a bus tell its plugins; never throws. */
export type Emit = <K extends keyof BusEvents>(name: K, event: BusEvents[K]) => void;
