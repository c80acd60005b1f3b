import { backoffDelay } from "../backoff.ts";
import { type Clock, sleep } from "../clock.ts";
import { toError, WaybillError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Sender } from "../publish/sender.ts";
import type { Destination, Envelope, Header, TopicSpec } from "../transport.ts";
import type { Entry } from "./entry.ts";

const STACK_MAX = 8 * 1_024;
const REPORT_MAX = 2 * 1_024;
/** How a refused dead letter is written again: by then somebody has to do something. */
const REWRITE = { initial: 500, max: 30_000 };

/**
 * The message as it goes to `<topic>.<group>.dlq`: the original bytes, key and headers, and why it is there. Its id is made from where the original
 * stands, so that one that is written again after a crash is the same dead letter.
 */
export function deadLetter(entry: Entry, topic: string, group: string, error: unknown, now: number): Envelope {
  const { incoming, window, attempts } = entry;
  const { partition } = window.source;
  const { name, message, stack } = toError(error);
  const code = error instanceof WaybillError ? error.code : name;
  const where = incoming.position ?? `${incoming.attributes.source ?? ""}/${incoming.attributes.id ?? incoming.token}`;
  const diagnosis: Header[] = [
    ["waybill-dead-letter-id", `${topic}/${group}/${partition}/${where}`],
    ["waybill-error", cut(`${code}: ${message}`, REPORT_MAX)],
    ["waybill-error-stack", cut(stack ?? "", STACK_MAX)],
    ["waybill-attempts", String(attempts)],
    ["waybill-failed-at", new Date(now).toISOString()],
    ["waybill-topic", topic],
    ["waybill-partition", String(partition)],
    ["waybill-position", incoming.position ?? ""],
    ["waybill-group", group],
  ];
  const own = new Set(diagnosis.map(([header]) => header));
  return {
    attributes: incoming.attributes,
    contentType: incoming.contentType,
    key: incoming.key,
    body: incoming.body,
    timestamp: incoming.timestamp,
    headers: [...incoming.headers.filter(([header]) => !own.has(header)), ...diagnosis],
  };
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

/** Writes a subscription's dead letters, and does not give up: the original is settled only when the copy stands. */
export class DeadLetters {
  readonly #sender: Sender;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #topic: TopicSpec;
  readonly #group: string;
  readonly #closing: AbortSignal;
  #failing = 0;
  #problem: string | undefined;

  constructor(options: { sender: Sender; clock: Clock; logger: Logger; topic: TopicSpec; group: string; closing: AbortSignal }) {
    this.#sender = options.sender;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#topic = options.topic;
    this.#group = options.group;
    this.#closing = options.closing;
  }

  /** Why dead letters cannot be written now, if so. */
  get problem(): string | undefined {
    return this.#failing > 0 ? this.#problem : undefined;
  }

  /** Resolves when the copy is stored. Rejects only when the subscription closes before that. */
  async write(entry: Entry, error: unknown): Promise<void> {
    const { name: topic } = this.#topic;
    const to: Destination = { kind: "dead", topic: this.#topic, group: this.#group, partition: entry.window.source.partition };
    const envelope = deadLetter(entry, topic, this.#group, error, this.#clock.now());
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#sender.send(to, envelope, { deadline: Infinity, signal: this.#closing });
        if (attempt > 1) this.#failing--;
        return;
      } catch (refusal) {
        if (attempt === 1) this.#failing++;
        this.#problem = `dead letters of ${topic} cannot be written for group ${this.#group}: ${toError(refusal).message}`;
        if (!this.#closing.aborted) {
          this.#logger.error(
            { topic, group: this.#group, attempt, error: refusal },
            "a dead letter cannot be written; its message stays",
          );
        }
        await sleep(this.#clock, backoffDelay(REWRITE, attempt), this.#closing);
      }
    }
  }
}
