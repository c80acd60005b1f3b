import {
  type Destination,
  type Envelope,
  type Outcome,
  type TransportContext,
  type TransportPublisher,
  toError,
  WaybillError,
  weigh,
} from "@waybill/core/transport";
import { openConfirmChannel } from "./channels.ts";
import { type Answer, Confirms } from "./confirms.ts";
import { closedError, operationError } from "./errors.ts";
import type { Link } from "./link.ts";
import { toContent, toProperties } from "./mapping.ts";
import { routingKey } from "./names.ts";
import { exchangeOrQueue, type Provisioner } from "./provisioner.ts";

/** More than this of headers amqplib does not encode, so a body that leaves as much room needs no weighing. */
const HEADERS_LIMIT = 65_536;

const STORED: Outcome = { stored: true, position: undefined };

/** Publishes persistent messages, mandatory and confirmed, on one channel that is opened again when it goes. */
export class RabbitmqPublisher implements TransportPublisher {
  readonly #link: Link;
  readonly #provisioner: Provisioner;
  readonly #context: TransportContext;
  #limit: number;
  #lane: Promise<Confirms> | undefined;
  #closed = false;

  constructor(link: Link, provisioner: Provisioner, context: TransportContext, maxMessageBytes: number) {
    this.#link = link;
    this.#provisioner = provisioner;
    this.#context = context;
    this.#limit = maxMessageBytes;
  }

  async publish(
    to: Destination,
    batch: readonly Envelope[],
    { deadline }: { readonly deadline: number },
  ): Promise<readonly Outcome[]> {
    const outcomes: (Outcome | undefined)[] = new Array(batch.length);
    const done = Promise.withResolvers<void>();
    const late = this.#context.clock.after(Math.max(0, deadline - this.#context.clock.now()), done.resolve);
    const progress = { sent: 0, over: false };
    const sending = this.#send(to, batch, outcomes, progress, done.resolve);
    const failure = await Promise.race([sending, done.promise.then(() => undefined)]);
    // Everything was handed over; now the answers, or the deadline.
    if (failure === undefined) await done.promise;
    progress.over = true;
    late();
    let error = failure;
    for (let index = 0; index < batch.length; index++) {
      if (outcomes[index] !== undefined) continue;
      error ??= timeoutError(to);
      outcomes[index] = { stored: index < progress.sent ? "unknown" : false, retry: error.retryable, error };
    }
    return to.topic.keyed ? suffix(outcomes as Outcome[]) : (outcomes as Outcome[]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const lane = await this.#lane?.catch(() => undefined);
    await lane?.close();
  }

  /** Resolves with an error when it cannot go on, else when all is handed over. `finished` is called when all is answered. */
  async #send(
    to: Destination,
    batch: readonly Envelope[],
    outcomes: (Outcome | undefined)[],
    progress: { sent: number; over: boolean },
    finished: () => void,
  ): Promise<WaybillError | undefined> {
    let lane: Confirms;
    try {
      lane = await this.#ready(to);
    } catch (cause) {
      return operationError(cause, "Publishing failed", { topic: to.topic.name });
    }
    const exchange = to.kind === "dead" ? "" : exchangeOrQueue(to);
    const mandatory = to.kind !== "topic" || to.topic.unrouted === "reject";
    let unanswered = 1;
    const settle = (index: number, outcome: Outcome): void => {
      // After the deadline the outcomes are no longer ours.
      if (progress.over) return;
      outcomes[index] = outcome;
      if (--unanswered === 0) finished();
    };
    for (const [index, envelope] of batch.entries()) {
      while (lane.full && lane.open && !progress.over) await lane.vacancy();
      if (!lane.open || progress.over) break;
      unanswered++;
      const refusal = this.#tooLarge(envelope, to);
      if (refusal) {
        settle(index, refusal);
        continue;
      }
      try {
        const properties = toProperties(envelope);
        properties.mandatory = mandatory;
        const key = to.kind === "dead" ? exchangeOrQueue(to) : routingKey(to.partition, envelope.attributes.type);
        lane.send(exchange, key, toContent(envelope.body), properties, (answer) =>
          settle(index, this.#outcome(answer, to, lane)),
        );
      } catch (cause) {
        settle(index, lane.open ? unencodable(cause, to) : lostOutcome(lane, to));
      }
      progress.sent = index + 1;
    }
    if (progress.sent < batch.length && !progress.over) {
      for (let index = progress.sent; index < batch.length; index++) {
        outcomes[index] = { stored: false, retry: true, error: lostOutcome(lane, to).error };
      }
    }
    if (--unanswered === 0) finished();
    return undefined;
  }

  async #ready(to: Destination): Promise<Confirms> {
    if (this.#closed) throw closedError();
    const last = this.#lane;
    const usable = (await last?.catch(() => undefined))?.open;
    // Another batch may have opened the next one meanwhile.
    if (!usable && this.#lane === last) this.#lane = this.#open();
    await this.#provisioner.prepare(to, await this.#link.up());
    return this.#lane as Promise<Confirms>;
  }

  async #open(): Promise<Confirms> {
    return new Confirms(await openConfirmChannel(await this.#link.up(), this.#context.clock));
  }

  #tooLarge(envelope: Envelope, to: Destination): Outcome | undefined {
    const body = envelope.body?.byteLength ?? 0;
    if (body + HEADERS_LIMIT <= this.#limit) return undefined;
    const bytes = weigh(envelope);
    return bytes <= this.#limit
      ? undefined
      : refused(`The message has ${bytes} bytes, and ${this.#limit} are allowed.`, "WAYBILL_MESSAGE_TOO_LARGE", to);
  }

  #outcome(answer: Answer, to: Destination, lane: Confirms): Outcome {
    switch (answer) {
      case "stored":
        return STORED;
      case "refused":
        return {
          stored: false,
          retry: true,
          error: new WaybillError(
            "WAYBILL_PUBLISH_REFUSED",
            "RabbitMQ did not take the message (its queue is full, or has no majority).",
            {
              topic: to.topic.name,
              retryable: true,
            },
          ),
        };
      case "unrouted":
        return this.#unrouted(to);
      case "lost":
        this.#learn(lane.reason);
        return lostOutcome(lane, to);
    }
  }

  #unrouted(to: Destination): Outcome {
    const own = to.kind !== "topic";
    // What belongs to a group is ours to keep: it is declared again by the next attempt.
    if (own) this.#provisioner.lost(exchangeOrQueue(to));
    const error = new WaybillError("WAYBILL_UNROUTABLE", `No queue took a message for "${exchangeOrQueue(to)}".`, {
      topic: to.topic.name,
      ...(own && { group: to.group }),
      hint: own
        ? undefined
        : 'No group has subscribed yet: name it in "groups" of the topic, or set unrouted: "drop" if the message may be lost.',
      retryable: own,
    });
    return { stored: false, retry: own, error };
  }

  /** The broker closes the channel over a missing exchange, and over a message larger than it is configured to take. */
  #learn(reason: Error | undefined): void {
    const text = reason?.message ?? "";
    const [, exchange] = /no exchange '([^']+)'/.exec(text) ?? [];
    if (exchange !== undefined) this.#provisioner.lost(exchange);
    const [, limit] = /larger than (?:configured )?max size (\d+)/.exec(text) ?? [];
    if (limit !== undefined) this.#limit = Math.min(this.#limit, Number(limit));
  }
}

/** Whatever follows a message that must be sent again has to be sent again as well, or it would stand before it. */
function suffix(outcomes: Outcome[]): Outcome[] {
  const first = outcomes.findIndex((outcome) => !outcome.stored && outcome.retry);
  const cause = first < 0 ? undefined : outcomes[first];
  if (cause === undefined || cause.stored === true) return outcomes;
  return outcomes.map((outcome, index) =>
    index > first && outcome.stored === true ? { stored: "unknown", retry: true, error: cause.error } : outcome,
  );
}

function lostOutcome(lane: Confirms, to: Destination): Outcome & { readonly stored: "unknown" } {
  const message = `The connection to RabbitMQ went before it confirmed: ${lane.reason?.message ?? "closed"}.`;
  const error = new WaybillError("WAYBILL_CONNECTION_FAILED", message, {
    topic: to.topic.name,
    retryable: true,
    cause: lane.reason,
  });
  return { stored: "unknown", retry: true, error };
}

/** amqplib has 64 KiB for all headers, and no form for some values. */
function unencodable(cause: unknown, to: Destination): Outcome {
  const reason = toError(cause).message;
  const tooMany = cause instanceof RangeError && /field table/.test(reason);
  return refused(
    `The headers cannot be sent: ${reason}.`,
    tooMany ? "WAYBILL_MESSAGE_TOO_LARGE" : "WAYBILL_HEADERS_INVALID",
    to,
    cause,
  );
}

function refused(
  message: string,
  code: "WAYBILL_MESSAGE_TOO_LARGE" | "WAYBILL_HEADERS_INVALID",
  to: Destination,
  cause?: unknown,
): Outcome {
  return { stored: false, retry: false, error: new WaybillError(code, message, { topic: to.topic.name, cause }) };
}

function timeoutError(to: Destination): WaybillError {
  return new WaybillError("WAYBILL_PUBLISH_TIMEOUT", "RabbitMQ did not confirm in time.", {
    topic: to.topic.name,
    retryable: true,
  });
}
