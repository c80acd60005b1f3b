import { randomUUID } from "node:crypto";
import { type Clock, toError, UnsupportedError } from "@waybill/core/transport";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { answered, closeChannel, openChannel, openConfirmChannel } from "./channels.ts";
import { REGISTRY } from "./names.ts";

/** One line of the registry: something that was about to be created, or a topic that was deleted with all that is its. */
export interface RegistryRecord {
  readonly topic: string;
  readonly partitions?: number;
  readonly keyed?: boolean;
  readonly group?: string;
  /** Milliseconds of a delay of that group. */
  readonly delay?: number;
  readonly deleted?: true;
}

/** Where a reader found the end. */
type Line = RegistryRecord | { readonly mark: string };

const APPEND_TIMEOUT = 5_000;

/** Adds lines to the stream in which the broker itself remembers what Waybill created on it. */
export function appendToRegistry(model: ChannelModel, clock: Clock, records: readonly RegistryRecord[]): Promise<void> {
  return append(model, clock, records);
}

/**
 * All lines that were there when this was called, oldest first: a mark of our own says where they end, because the number of messages that the
 * broker tells of a stream lags behind. Rejects with `UNSUPPORTED` and the broker's reason where there are no streams.
 */
export async function readRegistry(model: ChannelModel, clock: Clock): Promise<readonly RegistryRecord[]> {
  const mark = randomUUID();
  await append(model, clock, [{ mark }]).catch((cause) => {
    throw new UnsupportedError(
      "registry",
      `Topics cannot be listed: the stream "${REGISTRY}" cannot be had: ${toError(cause).message}.`,
      {
        hint: "AMQP 0-9-1 has no way to list; Waybill remembers what it creates in a stream, which needs RabbitMQ 3.9 or newer and the permission to declare it.",
        cause,
      },
    );
  });
  const channel = await openChannel(model, clock);
  const records: RegistryRecord[] = [];
  try {
    await answered(clock, channel.prefetch(1_000));
    const whole = Promise.withResolvers<void>();
    whole.promise.catch(() => undefined);
    channel.on("close", () => whole.reject(new Error("the channel was closed while the registry was read")));
    const take = (message: ConsumeMessage | null): void => {
      if (!message) {
        whole.reject(new Error("the registry was deleted while it was read"));
        return;
      }
      const line = parse(message.content);
      if (line && "topic" in line) records.push(line);
      if (line && "mark" in line && line.mark === mark) whole.resolve();
      channel.ack(message);
    };
    await answered(clock, channel.consume(REGISTRY, take, { arguments: { "x-stream-offset": "first" } }));
    await answered(clock, whole.promise);
    return records;
  } finally {
    void closeChannel(channel, clock);
  }
}

async function append(model: ChannelModel, clock: Clock, lines: readonly Line[]): Promise<void> {
  const channel = await openConfirmChannel(model, clock);
  try {
    const stream = { durable: true, arguments: { "x-queue-type": "stream" } };
    await answered(clock, channel.assertQueue(REGISTRY, stream), APPEND_TIMEOUT);
    for (const line of lines) {
      channel.publish("", REGISTRY, Buffer.from(JSON.stringify(line)), { persistent: true, contentType: "application/json" });
    }
    await answered(clock, channel.waitForConfirms(), APPEND_TIMEOUT);
  } finally {
    void closeChannel(channel, clock);
  }
}

/** Lines of somebody else are skipped. */
function parse(content: Buffer): Line | undefined {
  try {
    const line: unknown = JSON.parse(content.toString());
    return typeof line === "object" && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** A topic as the registry knows it. */
export interface ListedTopic {
  readonly partitions: number;
  /** The delays of each group, in milliseconds. */
  readonly groups: ReadonlyMap<string, ReadonlySet<number>>;
}

/** What stands after all those lines. */
export function standing(records: readonly RegistryRecord[]): ReadonlyMap<string, ListedTopic> {
  const topics = new Map<string, { partitions: number; groups: Map<string, Set<number>> }>();
  for (const { topic: name, partitions, group, delay, deleted } of records) {
    if (deleted) {
      topics.delete(name);
      continue;
    }
    const topic = topics.get(name) ?? { partitions: 1, groups: new Map<string, Set<number>>() };
    topics.set(name, topic);
    if (partitions !== undefined) topic.partitions = partitions;
    if (group === undefined) continue;
    const delays = topic.groups.get(group) ?? new Set<number>();
    topic.groups.set(group, delays);
    if (delay !== undefined) delays.add(delay);
  }
  return topics;
}
