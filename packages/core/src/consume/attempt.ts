import type { Clock } from "../clock.ts";
import { json } from "../codec.ts";
import { handling } from "../context.ts";
import { toError, WaybillError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Logger } from "../logger.ts";
import type { Delivery } from "../message.ts";
import type { Plugin } from "../plugin.ts";
import type { Topic } from "../topic.ts";
import type { TopicSpec } from "../transport.ts";
import type { Copies } from "./copies.ts";
import { deadLetter } from "./dead-letter.ts";
import { decode, typeOf } from "./decode.ts";
import { LiveDelivery } from "./delivery.ts";
import type { Entry } from "./entry.ts";
import { delayed, progressOf } from "./later.ts";
import { afterFailure, type FailurePolicy, type NextStep, type Progress } from "./policy.ts";
import type { Verdict } from "./verdict.ts";

/** What is called for one attempt. */
export type Call = (delivery: LiveDelivery, entry: Entry) => unknown;

/** Finds what handles a type, if anything does. */
export type Route = (type: string) => Call | undefined;

/** Thrown in place of a handler that could not be called: no attempt was made, and the message keeps its place. */
export class KeepPlace extends Error {
  override readonly name = "KeepPlace";
}

export interface AttemptOptions {
  /** The bus whose handlers these are. */
  readonly bus: object;
  readonly topic: Topic;
  /** As delivered: without the bus's prefix. */
  readonly group: string;
  readonly route: Route;
  readonly policy: FailurePolicy;
  readonly timeout: number | undefined;
  readonly unhandled: "ignore" | "dead-letter";
  /** Outermost first. */
  readonly plugins: readonly Plugin[];
  readonly clock: Clock;
  readonly events: Events;
  readonly logger: Logger;
  /** With the bus's prefix. */
  readonly spec: TopicSpec;
  readonly copies: Copies;
  /** A handler settled before it returned. */
  onEarlyAck(entry: Entry): void;
}

type Outcome = "done" | "ignored" | "dead-letter" | "later";

/** One attempt after the other: decodes, runs plugins and handler, and says by the retry policy what follows. */
export class Attempts {
  readonly #o: AttemptOptions;
  readonly #ignored = new Map<string, number>();

  constructor(options: AttemptOptions) {
    this.#o = options;
  }

  /** Begins an attempt. Never throws, never rejects. */
  begin(entry: Entry, route: Route = this.#o.route): Verdict | Promise<Verdict> {
    const { topic } = this.#o;
    const { body } = entry.incoming;
    if (body === null) return this.#ignore(entry, "a tombstone");
    const type = typeOf(topic, entry.incoming);
    if (type === undefined) {
      const message = `A message in topic "${topic.name}" has no type, and the topic has several.`;
      return this.#bury(entry, undefined, new WaybillError("WAYBILL_TYPE_UNKNOWN", message, { topic: topic.name }));
    }
    const handler = route(type);
    if (handler === undefined) return this.#unhandled(entry, type);
    if (entry.progress === undefined) {
      entry.progress = progressOf(entry.incoming);
      entry.attempts = Math.max(entry.attempts, entry.progress.before);
    }
    entry.attempts++;
    let payload: unknown;
    try {
      payload = decode(topic, topic.options.codec ?? json, type, body);
    } catch (error) {
      return this.#bury(entry, this.#delivery(entry, type, undefined), error);
    }
    if (!(payload instanceof Promise)) return this.#run(entry, type, payload, handler);
    return payload.then(
      (late) => this.#run(entry, type, late, handler),
      (error) => this.#bury(entry, this.#delivery(entry, type, undefined), error),
    );
  }

  #delivery(entry: Entry, type: string, payload: unknown): LiveDelivery {
    const { topic, group, onEarlyAck } = this.#o;
    return new LiveDelivery(entry, topic.name, group, type, payload, () => onEarlyAck(entry));
  }

  #run(entry: Entry, type: string, payload: unknown, handler: Call): Verdict | Promise<Verdict> {
    const { bus, plugins } = this.#o;
    const delivery = this.#delivery(entry, type, payload);
    entry.delivery = delivery;
    const cancelTimeout = this.#startTimeout(delivery);
    let result: unknown;
    try {
      result = handling({ bus, correlationId: delivery.correlationId, deliveryId: delivery.id }, () =>
        plugins.length === 0 ? handler(delivery, entry) : chain(plugins, delivery, () => handler(delivery, entry)),
      );
    } catch (error) {
      cancelTimeout?.();
      return this.#threw(entry, delivery, error);
    }
    if (!isThenable(result)) {
      cancelTimeout?.();
      return this.#returned(entry, delivery);
    }
    return Promise.resolve(result).then(
      () => {
        cancelTimeout?.();
        return this.#returned(entry, delivery);
      },
      (error) => {
        cancelTimeout?.();
        return this.#threw(entry, delivery, error);
      },
    );
  }

  /** Aborts the signal only: the handler's own end still decides, and its lane waits for that. */
  #startTimeout(delivery: LiveDelivery): (() => void) | undefined {
    const { timeout, clock, topic, group } = this.#o;
    if (timeout === undefined) return undefined;
    return clock.after(timeout, () => {
      const message = `The handler of "${delivery.type}" took longer than ${timeout} ms.`;
      delivery.abort(new WaybillError("WAYBILL_HANDLER_TIMEOUT", message, { topic: topic.name, group, retryable: true }));
    });
  }

  #returned(entry: Entry, delivery: LiveDelivery): Verdict {
    if (delivery.settled?.ack === false) return this.#failed(entry, delivery, delivery.settled.reason);
    this.#settled(entry, delivery, "done", undefined);
    return "done";
  }

  #threw(entry: Entry, delivery: LiveDelivery, error: unknown): Verdict {
    const { logger, topic, group } = this.#o;
    if (error instanceof KeepPlace) {
      entry.attempts--;
      return "again";
    }
    if (delivery.settled?.ack !== true) return this.#failed(entry, delivery, error);
    logger.warn({ topic: topic.name, group, id: delivery.id, error }, "a handler failed after it had acknowledged its message");
    this.#settled(entry, delivery, "done", error);
    return "done";
  }

  #failed(entry: Entry, delivery: LiveDelivery, error: unknown): Verdict {
    const { events, logger, topic, group } = this.#o;
    const { before, level } = entry.progress ?? { before: 0, level: 0 };
    const step = this.#step(error, { attempts: entry.attempts, before, level });
    if (step === "dead-letter") return this.#bury(entry, delivery, error);
    if (step === "block" || step === "stop") return this.#halt(entry, delivery, error, step);
    if (!step.counts) entry.attempts--;
    entry.redelivered = true;
    const retryIn = "delay" in step ? step.delay : step.retryIn;
    logger.debug({ topic: topic.name, group, id: delivery.id, attempt: delivery.attempt, retryIn, error }, "a handler failed");
    events.emit("failed", { delivery, error, retryIn });
    if (!("delay" in step)) return { retryIn: step.retryIn };
    const to = { kind: "delay" as const, topic: this.#o.spec, partition: entry.window.source.partition, group, ms: step.delay };
    return {
      held: this.#o.copies.write(to, delayed(entry, step.next)).then(() => this.#settled(entry, delivery, "later", error)),
    };
  }

  /** A `retryIf` that throws decides nothing: the message is tried again. */
  #step(error: unknown, progress: Progress): NextStep {
    const { policy, logger, topic, group } = this.#o;
    try {
      return afterFailure(error, progress, policy);
    } catch (thrown) {
      logger.error({ topic: topic.name, group, error: thrown }, "retry.retryIf threw");
      return afterFailure(error, progress, { ...policy, retryIf: undefined });
    }
  }

  /** The key, or the whole source, waits behind this message. */
  #halt(entry: Entry, delivery: LiveDelivery, error: unknown, step: "block" | "stop"): Verdict {
    const { events, logger, topic, group } = this.#o;
    const what = step === "block" ? "its key waits behind it" : "its source is stopped";
    logger.error(
      { topic: topic.name, group, id: delivery.id, key: delivery.key, error },
      `a message failed for good and ${what}`,
    );
    events.emit("failed", { delivery, error, retryIn: undefined });
    events.emit("blocked", { delivery, error, stopped: step === "stop" });
    entry.failure = { delivery, error };
    return step === "block" ? "blocked" : "stopped";
  }

  /** No attempt is left, or none can help. */
  #bury(entry: Entry, known: LiveDelivery | undefined, error: unknown): Verdict {
    const { copies, spec, events, logger, topic, group, clock } = this.#o;
    const delivery = known ?? this.#delivery(entry, "", undefined);
    events.emit("failed", { delivery, error, retryIn: undefined });
    const to = { kind: "dead" as const, topic: spec, partition: entry.window.source.partition, group };
    const written = copies.write(to, deadLetter(entry, spec.name, group, error, clock.now())).then(() => {
      const { id, type } = delivery;
      logger.warn(
        { topic: topic.name, group, id, type, attempts: entry.attempts, error: toError(error) },
        "a message went to the dead letters",
      );
      this.#settled(entry, delivery, "dead-letter", error);
    });
    return { held: written };
  }

  #unhandled(entry: Entry, type: string): Verdict {
    const { unhandled, topic, group } = this.#o;
    if (unhandled === "ignore") return this.#ignore(entry, `type "${type}"`);
    const message = `Group "${group}" has no handler for "${type}" of topic "${topic.name}".`;
    return this.#bury(
      entry,
      this.#delivery(entry, type, undefined),
      new WaybillError("WAYBILL_TYPE_UNKNOWN", message, { topic: topic.name, group }),
    );
  }

  /** Settled and counted, and logged once for each kind. */
  #ignore(entry: Entry, what: string): Verdict {
    const { logger, topic, group, events } = this.#o;
    const count = this.#ignored.get(what) ?? 0;
    // Types come from publishers: their number is not in our hands.
    if (count > 0 || this.#ignored.size < 1_000) this.#ignored.set(what, count + 1);
    if (count === 0) logger.info({ topic: topic.name, group, what }, "no handler takes this: settled without being handled");
    if (events.has("settled"))
      this.#settled(entry, this.#delivery(entry, typeOf(topic, entry.incoming) ?? "", undefined), "ignored", undefined);
    return "done";
  }

  #settled(entry: Entry, delivery: LiveDelivery, outcome: Outcome, error: unknown): void {
    const { events, clock } = this.#o;
    if (events.has("settled")) events.emit("settled", { delivery, outcome, error, ms: clock.now() - entry.startedAt });
  }
}

/** Plugins around a handler, the first outermost. Each `next` may be called once. */
function chain(plugins: readonly Plugin[], delivery: Delivery, handler: () => unknown): Promise<void> {
  const call = async (index: number): Promise<void> => {
    const plugin = plugins[index];
    if (plugin === undefined) await handler();
    else if (plugin.consume === undefined) await call(index + 1);
    else await plugin.consume(delivery, () => call(index + 1));
  };
  return call(0);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
