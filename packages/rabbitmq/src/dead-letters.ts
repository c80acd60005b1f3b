import { type Clock, type DeadLetterStore, type Envelope, type StoredDeadLetter, sleep } from "@waybill/core/transport";
import type { Channel, ChannelModel, ConsumeMessage, Message } from "amqplib";
import { answered, closeChannel, openChannel, withSpareChannel } from "./channels.ts";
import { REPLY, replyCode } from "./errors.ts";
import { toIncoming } from "./mapping.ts";
import { deadLetterQueue } from "./names.ts";
import { SINGLES } from "./stretch.ts";

/** After this long without a message there is none: somebody else has been given it. */
const NONE_LEFT = 1_000;
/** How long what was given back may take to stand in the queue again. */
const RETURNED = 2_000;

/** The dead letters of one group. What a reading has been given is hidden from others until the reading ends. */
export class RabbitmqDeadLetters implements DeadLetterStore {
  readonly #model: () => Promise<ChannelModel>;
  readonly #clock: Clock;
  readonly #queue: string;

  constructor(model: () => Promise<ChannelModel>, clock: Clock, topic: string, group: string) {
    this.#model = model;
    this.#clock = clock;
    this.#queue = deadLetterQueue(topic, group);
  }

  async count(): Promise<number> {
    return readyIn(await this.#model(), this.#clock, this.#queue);
  }

  async *read({
    page,
    signal,
  }: {
    readonly page: number;
    readonly signal?: AbortSignal | undefined;
  }): AsyncGenerator<readonly StoredDeadLetter[]> {
    const model = await this.#model();
    let left = await readyIn(model, this.#clock, this.#queue);
    if (left === 0) return;
    const reading = await Reading.open(model, this.#clock, this.#queue);
    try {
      while (left > 0) {
        signal?.throwIfAborted();
        const letters = await reading.next(Math.min(page, left));
        if (letters.length === 0) return;
        left -= letters.length;
        yield letters;
      }
    } finally {
      await reading.close();
    }
  }

  async remove(letters: readonly StoredDeadLetter[]): Promise<void> {
    const handles = letters.map(({ handle }) => handle as Handle);
    await handles[0]?.reading.remove(handles.map(({ tag }) => tag));
  }
}

interface Handle {
  readonly reading: Reading;
  readonly tag: number;
}

/** A queue read without being emptied: a consumer for each page, none of which acknowledges. */
class Reading {
  readonly #model: ChannelModel;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #queue: string;
  /** Tags that were delivered and not removed, in their order. */
  readonly #kept = new Set<number>();

  private constructor(model: ChannelModel, channel: Channel, clock: Clock, queue: string) {
    this.#model = model;
    this.#channel = channel;
    this.#clock = clock;
    this.#queue = queue;
  }

  static async open(model: ChannelModel, clock: Clock, queue: string): Promise<Reading> {
    return new Reading(model, await openChannel(model, clock), clock, queue);
  }

  /** The next letters, up to `most`; fewer where there are no more. */
  async next(most: number): Promise<readonly StoredDeadLetter[]> {
    const letters: StoredDeadLetter[] = [];
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let cancelWait = () => {};
    const wait = () => {
      cancelWait();
      cancelWait = this.#clock.after(NONE_LEFT, end);
    };
    const take = (message: ConsumeMessage | null) => {
      if (message === null) return end();
      const tag = message.fields.deliveryTag;
      this.#kept.add(tag);
      letters.push({ envelope: toEnvelope(message), handle: { reading: this, tag } satisfies Handle });
      if (letters.length === most) end();
      else wait();
    };
    this.#channel.once("close", end);
    // The prefetch is that of the consumers that come after it.
    await answered(this.#clock, this.#channel.prefetch(most));
    const { consumerTag } = await answered(this.#clock, this.#channel.consume(this.#queue, take));
    if (letters.length < most) wait();
    await ended;
    cancelWait();
    this.#channel.off("close", end);
    // Else it would be given more for each that is removed.
    await answered(this.#clock, this.#channel.cancel(consumerTag));
    return letters;
  }

  /** One acknowledgement where nothing before them is kept; else one each, paced, since a burst of those can be lost at the channel's end. */
  async remove(tags: readonly number[]): Promise<void> {
    const last = Math.max(...tags);
    for (const tag of tags) this.#kept.delete(tag);
    if ([...this.#kept].every((tag) => tag > last)) {
      this.#channel.ack(tagged(last), true);
      return;
    }
    for (const [i, tag] of tags.entries()) {
      if (i > 0 && i % SINGLES.burst === 0) await sleep(this.#clock, SINGLES.pause);
      this.#channel.ack(tagged(tag), false);
    }
    await sleep(this.#clock, SINGLES.quiet);
  }

  /** What is kept goes back in its order: the queue hands it out again behind what was given back before. */
  async close(): Promise<void> {
    try {
      for (const tag of this.#kept) this.#channel.nack(tagged(tag), false, true);
    } catch {
      // A channel that is gone has given everything back already.
    }
    await closeChannel(this.#channel, this.#clock);
    for (const until = this.#clock.now() + RETURNED; this.#clock.now() < until; await sleep(this.#clock, 10)) {
      if ((await readyIn(this.#model, this.#clock, this.#queue).catch(() => 0)) >= this.#kept.size) return;
    }
  }
}

/** Messages that wait in a queue; none in one that is not there. */
async function readyIn(model: ChannelModel, clock: Clock, queue: string): Promise<number> {
  const found = withSpareChannel(model, clock, (on) => on((channel) => channel.checkQueue(queue)));
  return found.then(
    ({ messageCount }) => messageCount,
    (error) => (replyCode(error) === REPLY.notFound ? 0 : Promise.reject(error)),
  );
}

function toEnvelope(message: ConsumeMessage): Envelope {
  const { attributes, contentType, key, body, timestamp, headers } = toIncoming(message);
  return { attributes, contentType, key, body, timestamp, headers };
}

function tagged(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message;
}
