import {
  type Clock,
  type Destination,
  type Envelope,
  type Outcome,
  type TransportPublisher,
  WaybillError,
} from "@waybill/core/transport";
import { EngineError, type EngineProducer, type NewRecord, type TopicPartition } from "./engine.ts";
import { toPublishError } from "./errors.ts";
import { sizeOf, toRecord } from "./mapping.ts";
import { positionPrefix, topicOf } from "./names.ts";

/** The header of a batch of records: https://kafka.apache.org/documentation/#recordbatch */
const BATCH_OVERHEAD = 128;
/** More at once makes kafkajs slower for each. */
const MAX_RECORDS = 1_000;

export interface PublisherOptions {
  readonly producer: EngineProducer;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  /** Records are compressed: their size on the wire is for the broker to judge. */
  readonly compressed: boolean;
  /** What the topic takes, where the broker tells. */
  limitOf(topic: string): Promise<number | undefined>;
}

/** A stretch of a batch that goes as one. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

/** Sends a batch to its partition in requests that the broker takes, one after the other, and says what became of each envelope. */
export class KafkaPublisher implements TransportPublisher {
  readonly #options: PublisherOptions;
  #closed = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  async publish(
    to: Destination,
    batch: readonly Envelope[],
    { deadline }: { readonly deadline: number },
  ): Promise<readonly Outcome[]> {
    const topic = topicOf(to);
    const of = { topic, partition: to.partition };
    const outcomes: Outcome[] = [];
    const fill = ({ from, to: end }: Piece, outcome: Outcome): void => void outcomes.fill(outcome, from, end);
    try {
      const records = batch.map((envelope) => toRecord(envelope, to.kind, this.#options.clock.now()));
      outcomes.length = records.length;
      // The topics that this package makes beside another take more.
      const limit = to.kind === "topic" ? this.#options.maxMessageBytes : Number.POSITIVE_INFINITY;
      const queue = this.#split(records, limit);
      for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
        const alone = piece.to - piece.from === 1 ? records[piece.from] : undefined;
        if (alone !== undefined && weightOf(alone) > limit && !this.#options.compressed) {
          fill(piece, tooLarge(topic, weightOf(alone), limit));
          continue;
        }
        const produced = await this.#produce(of, records.slice(piece.from, piece.to), deadline);
        if (produced.stored === true) {
          for (let i = piece.from; i < piece.to; i++) {
            const offset = produced.baseOffset === undefined ? undefined : produced.baseOffset + i - piece.from;
            outcomes[i] = { stored: true, position: offset === undefined ? undefined : positionOf(to, offset) };
          }
          continue;
        }
        const { error } = produced;
        if (produced.stored === false && (error.kind === "too-large" || error.kind === "refused")) {
          // One of them spoils it for the others.
          if (alone === undefined) queue.unshift(...halves(piece));
          else if (error.kind === "too-large") fill(piece, tooLarge(topic, weightOf(alone), await this.#options.limitOf(topic)));
          else fill(piece, this.#failure(topic, produced.stored, error));
          continue;
        }
        fill(piece, this.#failure(topic, produced.stored, error));
        // What comes after must not overtake it.
        if (error.retriable) fill({ from: piece.to, to: records.length }, this.#failure(topic, false, error));
        if (error.retriable) break;
      }
    } catch (error) {
      outcomes.length = batch.length;
      const failure = toPublishError(error, topic);
      for (let i = 0; i < outcomes.length; i++) outcomes[i] ??= { stored: false, retry: false, error: failure };
    }
    return outcomes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#options.producer.close(0);
  }

  #produce(of: TopicPartition, records: readonly NewRecord[], deadline: number) {
    if (this.#closed) {
      const error = new EngineError("connection", "the publisher was closed");
      return { stored: false as const, error };
    }
    return this.#options.producer.produce(of, records, deadline);
  }

  #split(records: readonly NewRecord[], limit: number): Piece[] {
    const most = Math.min(limit, this.#options.maxMessageBytes);
    const pieces: Piece[] = [];
    let from = 0;
    let size = BATCH_OVERHEAD;
    for (const [i, record] of records.entries()) {
      const weight = sizeOf(record);
      if (i > from && (size + weight > most || i - from >= MAX_RECORDS)) {
        pieces.push({ from, to: i });
        from = i;
        size = BATCH_OVERHEAD;
      }
      size += weight;
    }
    if (from < records.length) pieces.push({ from, to: records.length });
    return pieces;
  }

  #failure(topic: string, stored: false | "unknown", error: EngineError): Outcome {
    return { stored, retry: error.retriable, error: toPublishError(error, topic) };
  }
}

/** In a batch of its own. */
function weightOf(record: NewRecord): number {
  return BATCH_OVERHEAD + sizeOf(record);
}

function halves({ from, to }: Piece): Piece[] {
  const middle = (from + to) >> 1;
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

/** As sources name it: see {@link PartitionSource.position}. */
function positionOf(to: Destination, offset: number): string {
  return to.kind === "topic" ? String(offset) : `${positionPrefix(to.topic.name, to.group, topicOf(to))}${offset}`;
}

function tooLarge(topic: string, size: number, limit: number | undefined): Outcome {
  const most = limit === undefined ? "more than the topic takes" : `${limit} are the most`;
  const error = new WaybillError("WAYBILL_MESSAGE_TOO_LARGE", `A message to ${topic} takes about ${size} bytes; ${most}.`, {
    topic,
    hint: "Publish a reference to the data, or raise `max.message.bytes` of the topic and `maxMessageBytes` of the transport.",
  });
  return { stored: false, retry: false, error };
}
