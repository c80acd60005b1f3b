import { type Clock, toError, UnsupportedError } from "@waybill/core/transport";
import type { Channel, ChannelModel } from "amqplib";
import { answered, closeChannel, openChannel, openConfirmChannel, withSpareChannel } from "./channels.ts";
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

const APPEND_TIMEOUT = 5_000;

/** Adds lines to the stream in which the broker itself remembers what Waybill created on it. */
export async function appendToRegistry(model: ChannelModel, clock: Clock, records: readonly RegistryRecord[]): Promise<void> {
  const channel = await openConfirmChannel(model, clock);
  try {
    await answered(clock, declare(channel), APPEND_TIMEOUT);
    for (const record of records) {
      channel.publish("", REGISTRY, Buffer.from(JSON.stringify(record)), { persistent: true, contentType: "application/json" });
    }
    await answered(clock, channel.waitForConfirms(), APPEND_TIMEOUT);
  } finally {
    void closeChannel(channel, clock);
  }
}

/** All lines, oldest first. Rejects with `UNSUPPORTED` and the broker's reason where there are no streams. */
export async function readRegistry(model: ChannelModel, clock: Clock): Promise<readonly RegistryRecord[]> {
  const last = await lastOffset(model, clock);
  if (last < 0) return [];
  const channel = await openChannel(model, clock);
  const records: RegistryRecord[] = [];
  try {
    await channel.prefetch(1_000);
    const whole = Promise.withResolvers<void>();
    channel.on("close", () => whole.reject(new Error("the channel was closed while the registry was read")));
    const take = (offset: number, content: Buffer): void => {
      const record = parse(content);
      if (record) records.push(record);
      if (offset >= last) whole.resolve();
    };
    await channel.consume(
      REGISTRY,
      (message) => {
        if (!message) return whole.reject(new Error("the registry was deleted while it was read"));
        take(Number(message.properties.headers?.["x-stream-offset"]), message.content);
        channel.ack(message);
      },
      { arguments: { "x-stream-offset": "first" } },
    );
    await answered(clock, whole.promise);
    return records;
  } finally {
    void closeChannel(channel, clock);
  }
}

/** Of the newest line; -1 when there is none. A marker of our own would need a permission that reading does not. */
async function lastOffset(model: ChannelModel, clock: Clock): Promise<number> {
  const { messageCount } = await withSpareChannel(model, clock, (on) => on(declare)).catch((cause) => {
    throw new UnsupportedError(
      "registry",
      `Topics cannot be listed: the stream "${REGISTRY}" cannot be had: ${toError(cause).message}.`,
      {
        hint: "AMQP 0-9-1 has no way to list; Waybill remembers what it creates in a stream, which needs RabbitMQ 3.9 or newer and the permission to declare it.",
        cause,
      },
    );
  });
  return messageCount - 1;
}

function declare(channel: Channel): Promise<{ messageCount: number }> {
  return channel.assertQueue(REGISTRY, { durable: true, arguments: { "x-queue-type": "stream" } });
}

/** Lines of somebody else are skipped. */
function parse(content: Buffer): RegistryRecord | undefined {
  try {
    const record: unknown = JSON.parse(content.toString());
    return typeof record === "object" && record !== null && "topic" in record ? (record as RegistryRecord) : undefined;
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
