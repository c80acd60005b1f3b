import { type ConsumerSink, type ConsumeSpec, type TransportConsumer, WaybillError } from "@waybill/core/transport";
import * as errors from "./errors.ts";
import type { Link } from "./link.ts";
import { Member } from "./member.ts";

/** A bus's part in a group, over as many memberships as interruptions make of it. */
export class MemoryConsumer implements TransportConsumer {
  readonly ready: Promise<void>;
  readonly #link: Link;
  readonly #spec: ConsumeSpec;
  readonly #sink: ConsumerSink;
  readonly #joined = Promise.withResolvers<void>();
  #member: Member | undefined;
  #hasJoined = false;
  #ended = false;

  constructor(link: Link, spec: ConsumeSpec, sink: ConsumerSink) {
    this.#link = link;
    this.#spec = spec;
    this.#sink = sink;
    this.ready = this.#joined.promise;
    // Who does not wait for it does not want to hear of it.
    this.ready.catch(() => {});
    link.consumers.add(this);
    link.use("consume");
    link.broker.turns.next(() => this.join());
  }

  /** Joins the group, unless it has or cannot. */
  join(): void {
    if (this.#ended || this.#member !== undefined || !this.#link.up) return;
    const { topic, group: name, from, provision } = this.#spec;
    try {
      const group = this.#link.broker.groupFor(topic, name, provision);
      group.begin(from);
      this.#member = new Member(group, this.#spec, this.#sink);
      group.join(this.#member);
    } catch (error) {
      this.#fail(
        error instanceof WaybillError ? error : new WaybillError("WAYBILL_CONNECTION_FAILED", String(error), { cause: error }),
      );
      return;
    }
    this.#hasJoined = true;
    this.#joined.resolve();
  }

  cut(): void {
    this.#leave("connection");
  }

  topicDeleted(name: string): void {
    if (name !== this.#spec.topic.name) return;
    this.#leave("fenced");
    this.#link.broker.turns.next(() => this.join());
  }

  sever(): void {
    this.#ended = true;
    if (this.#member !== undefined) this.#member.group.sever(this.#member);
    this.#joined.reject(errors.disconnected(this.#link.broker.name));
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#joined.reject(errors.closed(this.#link.broker.name));
    await this.#link.broker.turns.pause();
    this.#leave("closed");
    this.#link.consumers.delete(this);
  }

  #fail(error: WaybillError): void {
    this.#ended = true;
    this.#link.consumers.delete(this);
    if (this.#hasJoined) this.#sink.failed(error);
    else this.#joined.reject(error);
  }

  #leave(why: "connection" | "fenced" | "closed"): void {
    const member = this.#member;
    this.#member = undefined;
    if (member !== undefined && !member.severed) member.group.leave(member, why);
  }
}
