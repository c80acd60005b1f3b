import type { Delivery, Headers } from "../message.ts";
import type { Incoming } from "../transport.ts";
import type { Entry } from "./entry.ts";

/** How a handler settled its delivery before, or instead of, returning. */
export type Settled = { readonly ack: true } | { readonly ack: false; readonly reason: unknown };

/**
 * One attempt of one message, as its handler sees it. What is costly and seldom used is made when it is asked for, so a delivery is
 * passed on as it is, not copied with a spread.
 */
export class LiveDelivery implements Delivery {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly payload: unknown;
  readonly key: string | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly position: string;
  readonly epoch: string;
  readonly attempt: number;
  readonly redelivered: boolean;
  readonly #incoming: Incoming;
  readonly #onAck: () => void;
  #abort: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #headers: Headers | undefined;
  settled: Settled | undefined;
  /** Called when the handler settles before it returns. */
  onSettled: (() => void) | undefined;

  constructor(entry: Entry, topic: string, group: string, type: string, payload: unknown, onAck: () => void) {
    const { incoming, window } = entry;
    const { attributes, key } = incoming;
    this.topic = topic;
    this.group = group;
    this.partition = window.source.partition;
    this.position = incoming.position ?? String(incoming.token);
    this.epoch = window.source.epoch;
    // A foreign message has no id of its own: where it stands is one.
    this.id = attributes.id ?? `${topic}/${this.partition}/${this.position}`;
    this.source = attributes.source ?? topic;
    this.type = type;
    this.payload = payload;
    this.key = key === undefined ? undefined : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
    this.correlationId = attributes.correlationid;
    this.causationId = attributes.causationid;
    this.attempt = entry.attempts;
    this.redelivered = entry.redelivered;
    this.#incoming = incoming;
    this.#onAck = onAck;
  }

  get timestamp(): Date {
    return new Date(this.#incoming.timestamp);
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      const headers: Record<string, string> = {};
      for (const [name, value] of this.#incoming.headers) headers[name] = typeof value === "string" ? value : readable(value);
      this.#headers = headers;
    }
    return this.#headers;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted.reason);
    }
    return this.#abort.signal;
  }

  get raw(): { readonly body: Uint8Array; readonly native: unknown } {
    return { body: this.#incoming.body ?? new Uint8Array(), native: this.#incoming.native };
  }

  get ack(): () => void {
    return () => {
      if (this.settled !== undefined) return;
      this.settled = { ack: true };
      this.#onAck();
      this.onSettled?.();
    };
  }

  get nack(): (reason?: unknown) => void {
    return (reason) => {
      if (this.settled !== undefined) return;
      this.settled = { ack: false, reason };
      this.onSettled?.();
    };
  }

  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#abort?.abort(reason);
  }
}

/** A foreign header for a reader: bytes as base64, the rest as JSON. `raw.native` has the value itself. */
function readable(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
