import { weigh } from "../../src/binding.ts";
import { PublishTimeoutError, WaybillError } from "../../src/errors.ts";
import { silentLogger } from "../../src/logger.ts";
import { Sender, type SenderOptions } from "../../src/publish/sender.ts";
import type { Destination, Envelope, TopicSpec, TransportPublisher } from "../../src/transport.ts";
import { ManualClock } from "../manual-clock.ts";
import { ModelBroker, type Plan, REFUSED } from "./model-broker.ts";

export interface Sent {
  readonly partition: number;
  readonly size: number;
  readonly timeout: number;
  readonly refused: boolean;
  /** Milliseconds until the caller aborts. */
  readonly abortAfter: number | undefined;
}

export type Step = { readonly send: readonly Sent[] } | { readonly advance: number };

/** What stands between the callers and the transport. */
export type Make = (publisher: TransportPublisher, options: SenderOptions) => Pick<Sender, "send" | "inFlight">;

interface Tracked extends Sent {
  readonly id: string;
  readonly deadline: number;
  readonly reason: object;
  aborted: boolean;
  outcome: { readonly position: string | undefined } | { readonly reason: unknown } | undefined;
}

const LIMITS = { messages: 6, bytes: 3_000 };
const MAX_BATCH = { messages: 4, bytes: 1_500 };
/** How late a deadline may be noticed. */
const COARSE = 20;

const SPEC: TopicSpec = { name: "t", keyed: true, partitions: 3, retention: undefined, groups: [], unrouted: "reject" };

export function destination(partition: number): Destination {
  return { kind: "topic", topic: SPEC, partition };
}

export function envelope(id: string, size = 10, headers: Envelope["headers"] = []): Envelope {
  return { attributes: { id }, contentType: undefined, key: undefined, body: Buffer.alloc(size), timestamp: 0, headers };
}

/** Lets everything run that is due now. */
export async function tick(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Callers, a sender and a broker, on a clock of their own; `violations` says what went wrong at the moment it did. */
export class Sending {
  readonly clock = new ManualClock();
  readonly broker: ModelBroker;
  readonly #sender: Pick<Sender, "send" | "inFlight">;
  readonly #sent: Tracked[] = [];

  constructor(plans: readonly Plan[], make: Make = (publisher, options) => new Sender(publisher, options)) {
    this.broker = new ModelBroker(this.clock, plans);
    this.broker.onBatch = (_, batch) => this.#checkBatch(batch);
    const options: SenderOptions = { clock: this.clock, logger: silentLogger, limits: LIMITS, maxBatch: MAX_BATCH };
    this.#sender = make(this.broker, options);
  }

  async take(step: Step): Promise<void> {
    if ("advance" in step) await this.#advance(step.advance);
    else for (const sent of step.send) this.#send(sent);
    await tick();
    this.#checkWaits();
  }

  /** Until every promise is settled and the transport has answered: then nothing may be left over. */
  async end(): Promise<void> {
    const busy = () => this.broker.outstanding > 0 || this.#sent.some(({ outcome }) => outcome === undefined);
    for (let turn = 0; turn < 500 && busy(); turn++) await this.take({ advance: 1_000 });
    for (const { id, outcome } of this.#sent) if (outcome === undefined) this.#violated(`${id} was never settled`);
    if (this.#sender.inFlight.messages !== 0 || this.#sender.inFlight.bytes !== 0)
      this.#violated("something is counted for ever");
    for (const tracked of this.#sent) this.#checkOutcome(tracked);
    for (const [name, log] of this.broker.logs) this.#checkOrder(name, log);
  }

  /** Never past what is due next without letting it run. */
  async #advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      this.clock.advance(Math.min(10, left));
      await tick();
    }
  }

  #send(sent: Sent): void {
    const controller = new AbortController();
    const tracked: Tracked = {
      ...sent,
      id: String(this.#sent.length),
      deadline: this.clock.now() + sent.timeout,
      reason: new Error("enough"),
      aborted: false,
      outcome: undefined,
    };
    this.#sent.push(tracked);
    if (sent.abortAfter !== undefined) {
      this.clock.after(sent.abortAfter, () => {
        tracked.aborted = true;
        controller.abort(tracked.reason);
      });
    }
    const settle = (outcome: Tracked["outcome"]) => {
      tracked.outcome = outcome;
    };
    const wire = envelope(tracked.id, sent.size, sent.refused ? [[REFUSED, "yes"]] : []);
    this.#sender.send(destination(sent.partition), wire, { deadline: tracked.deadline, signal: controller.signal }).then(
      (position) => settle({ position }),
      (reason: unknown) => settle({ reason }),
    );
  }

  #checkBatch(batch: readonly Envelope[]): void {
    const bytes = batch.reduce((sum, one) => sum + weigh(one), 0);
    if (batch.length > MAX_BATCH.messages || (batch.length > 1 && bytes > MAX_BATCH.bytes))
      this.#violated(`a batch of ${batch.length}, ${bytes} bytes`);
    if (this.broker.outstanding + batch.length > LIMITS.messages) this.#violated("more in flight than the limit");
    for (const { attributes } of batch) {
      if (this.#sent[Number(attributes.id)]?.outcome !== undefined)
        this.#violated(`${attributes.id} was handed over after it was settled`);
    }
  }

  #checkWaits(): void {
    for (const { id, outcome, deadline, aborted } of this.#sent) {
      if (outcome !== undefined) continue;
      if (this.clock.now() > deadline + COARSE) this.#violated(`${id} waits past its deadline`);
      if (aborted) this.#violated(`${id} waits though it was aborted`);
    }
    const { messages, bytes } = this.#sender.inFlight;
    if (messages > LIMITS.messages || (messages > 1 && bytes > LIMITS.bytes)) this.#violated("more taken in than the limit");
  }

  #checkOutcome({ id, partition, outcome, aborted, reason: given, refused, timeout }: Tracked): void {
    const log = this.broker.log(`topic/t/${partition}`);
    if (outcome === undefined) return;
    if ("position" in outcome) {
      if (log[Number(outcome.position)] !== id) this.#violated(`${id} was said to be stored at ${outcome.position}, and is not`);
      return;
    }
    const { reason } = outcome;
    const handed = this.broker.batches.some((batch) => batch.includes(id));
    if (reason === given && aborted) return;
    if (reason instanceof PublishTimeoutError) {
      if (timeout === Number.POSITIVE_INFINITY) this.#violated(`${id} timed out without a deadline`);
      if (reason.stored === "no" && log.includes(id)) this.#violated(`${id} was said not to be stored, and is`);
      if (reason.stored === "unknown" && !handed) this.#violated(`${id} was said to be in doubt, and was never handed over`);
    } else if (
      !(reason instanceof WaybillError && reason.code === "WAYBILL_PUBLISH_REFUSED" && refused && this.broker.refused.has(id))
    ) {
      this.#violated(`${id} was rejected without a cause: ${reason}`);
    }
  }

  /** First occurrences stand in the order of the calls. */
  #checkOrder(name: string, log: readonly string[]): void {
    let newest = -1;
    const seen = new Set<string>();
    for (const id of log) {
      if (!seen.has(id) && Number(id) < newest) this.#violated(`${id} was stored in ${name} after ${newest}`);
      seen.add(id);
      newest = Math.max(newest, Number(id));
    }
  }

  #violated(what: string): void {
    this.broker.violations.push(what);
  }
}
