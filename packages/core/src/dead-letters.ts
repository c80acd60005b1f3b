import { type Clock, sleep } from "./clock.ts";
import { isOurs } from "./consume/later.ts";
import { WaybillError } from "./errors.ts";
import type { Headers } from "./message.ts";
import { partitionOf } from "./partition.ts";
import type { LiveTopic } from "./publish/route.ts";
import type { Sender } from "./publish/sender.ts";
import type { Connection, DeadLetterStore, Destination, Envelope, StoredDeadLetter } from "./transport.ts";

/** A message that a group gave up on. */
export interface DeadLettered {
  /** Of this dead letter; another than the message's, since a message can be dead-lettered again after a replay. */
  readonly deadLetterId: string;
  /** The message's own. */
  readonly id: string;
  readonly type: string | undefined;
  readonly key: string | undefined;
  /** The message's own, without the diagnosis. */
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Code and message of the last failure. */
  readonly error: string;
  readonly stack: string;
  /** Handler calls that it had. */
  readonly attempts: number;
  readonly failedAt: Date;
  /** Where the original stood. */
  readonly partition: number;
  readonly position: string;
}

/** Which dead letters; both given, both must hold. */
export interface DeadLetterChoice {
  /** By the message's id or the dead letter's. One that is not there rejects with `DEAD_LETTER_NOT_FOUND` after the others were dealt with. */
  ids?: readonly string[] | undefined;
  where?: ((letter: DeadLettered) => boolean) | undefined;
  /** Deals with the oldest only. @default all */
  limit?: number | undefined;
  /** Counts, and changes nothing. @default false */
  dryRun?: boolean | undefined;
  /** Ends after what is under way. The call then rejects with the signal's reason; running it again goes on with the rest. */
  signal?: AbortSignal | undefined;
  /** Called after each page with the number dealt with so far. */
  onProgress?: ((done: number) => void) | undefined;
}

/** The dead letters of one group of one topic. */
export interface DeadLetters {
  count(): Promise<number>;
  /**
   * Oldest first, with what stood there when the listing began. On RabbitMQ a listing that ends early puts what it has shown behind the rest.
   * @default limit all
   */
  list(options?: { limit?: number }): AsyncIterable<DeadLettered>;
  /** By the message's id or the dead letter's. */
  get(id: string): Promise<DeadLettered | undefined>;
  /**
   * Publishes originals to their group alone, with their id, key and headers, and removes each dead letter once its message is stored: cut short, it
   * can be run again, and a message may then be handled twice. Resolves with the number replayed. `rate`: messages a second. @default rate no limit
   */
  replay(options?: DeadLetterChoice & { rate?: number | undefined }): Promise<number>;
  /** Removes for good. Resolves with the number removed. */
  discard(options?: DeadLetterChoice): Promise<number>;
}

const PAGE = 100;

export interface DeadLetterToolsOptions {
  /** With the bus's prefix. */
  readonly topic: string;
  readonly group: string;
  readonly connection: () => Promise<Connection>;
  readonly live: () => Promise<LiveTopic>;
  readonly sender: Sender;
  readonly clock: Clock;
}

/** {@link DeadLetters} over any transport's store. */
export class DeadLetterTools implements DeadLetters {
  readonly #o: DeadLetterToolsOptions;

  constructor(options: DeadLetterToolsOptions) {
    this.#o = options;
  }

  async count(): Promise<number> {
    return (await this.#store()).count();
  }

  async *list({ limit = Number.POSITIVE_INFINITY }: { limit?: number } = {}): AsyncIterable<DeadLettered> {
    let left = limit;
    if (left <= 0) return;
    for await (const page of (await this.#store()).read({ page: Math.min(PAGE, left) })) {
      for (const { envelope } of page) {
        yield describeDeadLetter(envelope);
        left--;
        if (left <= 0) return;
      }
    }
  }

  async get(id: string): Promise<DeadLettered | undefined> {
    for await (const letter of this.list()) if (letter.id === id || letter.deadLetterId === id) return letter;
    return undefined;
  }

  async replay({ rate, ...choice }: DeadLetterChoice & { rate?: number | undefined } = {}): Promise<number> {
    if (rate !== undefined && !(rate > 0)) throw this.#invalid(`"rate" is ${String(rate)}, not a number of messages a second`);
    const live = await this.#o.live();
    return this.#deal(choice, rate === undefined ? PAGE : 1, async (letters) => {
      await Promise.all(letters.map(({ envelope }) => this.#publish(live, envelope)));
      if (rate !== undefined) await sleep(this.#o.clock, 1_000 / rate, choice.signal);
    });
  }

  discard(choice: DeadLetterChoice = {}): Promise<number> {
    return this.#deal(choice, PAGE, async () => {});
  }

  /** Deals with what is chosen, up to `most` at a time, and removes it then. */
  async #deal(
    choice: DeadLetterChoice,
    most: number,
    act: (letters: readonly StoredDeadLetter[]) => Promise<void>,
  ): Promise<number> {
    const { ids, where, limit = Number.POSITIVE_INFINITY, dryRun = false, signal, onProgress } = choice;
    const missing = new Set(ids);
    const store = await this.#store();
    let done = 0;
    for await (const page of store.read({ page: PAGE, signal })) {
      const chosen = page
        .filter(({ envelope }) => done < limit && isChosen(describeDeadLetter(envelope), ids, where, missing))
        .slice(0, limit - done);
      for (let i = 0; i < chosen.length && !dryRun; i += most) {
        signal?.throwIfAborted();
        const letters = chosen.slice(i, i + most);
        await act(letters);
        await store.remove(letters);
      }
      done += chosen.length;
      onProgress?.(done);
      if (done >= limit || (ids !== undefined && missing.size === 0)) break;
    }
    if (missing.size > 0) {
      const message = `Group "${this.#o.group}" has no dead letter ${[...missing].join(", ")} of topic "${this.#o.topic}".`;
      throw new WaybillError("WAYBILL_DEAD_LETTER_NOT_FOUND", message, {
        topic: this.#o.topic,
        group: this.#o.group,
        hint: "List them to see what is there.",
      });
    }
    return done;
  }

  async #publish({ spec, partitions }: LiveTopic, letter: Envelope): Promise<void> {
    const { group, sender, clock } = this.#o;
    const stood = Number(header(letter, "waybill-partition"));
    const partition =
      letter.key !== undefined && spec.keyed ? partitionOf(letter.key, partitions) : stood < partitions ? stood : 0;
    const to: Destination = { kind: "group", topic: { ...spec, partitions }, group, partition };
    const headers = letter.headers.filter(([name]) => !isOurs(name));
    const envelope: Envelope = { ...letter, headers: [...headers, ["waybill-replayed-at", new Date(clock.now()).toISOString()]] };
    await sender.send(to, envelope, { deadline: clock.now() + 30_000 });
  }

  async #store(): Promise<DeadLetterStore> {
    const { topic, group, connection } = this.#o;
    return (await connection()).admin.deadLetters(topic, group);
  }

  #invalid(problem: string): WaybillError {
    const { topic, group } = this.#o;
    return new WaybillError("WAYBILL_CONFIG_INVALID", `The replay of "${group}" is not valid: ${problem}.`, { topic, group });
  }
}

function isChosen(
  letter: DeadLettered,
  ids: readonly string[] | undefined,
  where: DeadLetterChoice["where"],
  missing: Set<string>,
): boolean {
  const named = ids?.find((id) => id === letter.id || id === letter.deadLetterId);
  if (ids !== undefined && named === undefined) return false;
  if (where !== undefined && !where(letter)) return false;
  if (named !== undefined) missing.delete(named);
  return true;
}

/** A dead letter as it stands on a broker, taken apart. */
export function describeDeadLetter(envelope: Envelope): DeadLettered {
  const { attributes, key, body, headers } = envelope;
  const position = header(envelope, "waybill-position");
  const partition = Number(header(envelope, "waybill-partition"));
  return {
    deadLetterId: header(envelope, "waybill-dead-letter-id"),
    id: attributes.id ?? `${header(envelope, "waybill-topic")}/${partition}/${position}`,
    type: attributes.type,
    key: key === undefined ? undefined : Buffer.from(key).toString(),
    headers: Object.fromEntries(
      headers.flatMap(([name, value]) => (isOurs(name) || typeof value !== "string" ? [] : [[name, value]])),
    ),
    body: body ?? new Uint8Array(),
    error: header(envelope, "waybill-error"),
    stack: header(envelope, "waybill-error-stack"),
    attempts: Number(header(envelope, "waybill-attempts")),
    failedAt: new Date(header(envelope, "waybill-failed-at")),
    partition,
    position,
  };
}

function header(envelope: Envelope, name: string): string {
  const value = envelope.headers.find(([one]) => one === name)?.[1];
  return typeof value === "string" ? value : "";
}
