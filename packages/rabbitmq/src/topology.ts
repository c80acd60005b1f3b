import { type Drift, type TopicSpec, toError, WaybillError } from "@waybill/core/transport";
import type { Channel } from "amqplib";
import type { OnChannel } from "./channels.ts";
import { operationError, REPLY, replyCode } from "./errors.ts";
import { deadLetterQueue, delayName, foreignExchange, groupExchange, partitionQueue } from "./names.ts";

/**
 * Every durable queue is a quorum queue. The limit is a number that is never reached, because attempts are counted by Waybill: absent it is 20 on
 * 4.x, after which a message is gone, and -1 loses messages on 3.10.
 */
const QUORUM = { "x-queue-type": "quorum", "x-delivery-limit": 2_147_483_647 };
const ONE_CONSUMER = { ...QUORUM, "x-single-active-consumer": true };

/** A topic without keys has one queue a group, from which all members are served at once. */
export function partitionsOf(topic: TopicSpec): number {
  return topic.keyed ? topic.partitions : 1;
}

/**
 * The exchange of a topic names another one for what it cannot route, and that name carries the number of partitions: declarations that differ
 * would lose messages of a group without any return, so the broker must refuse them.
 */
export async function declareTopic(on: OnChannel, topic: TopicSpec): Promise<void> {
  const partitions = partitionsOf(topic);
  const foreign = foreignExchange(topic.name, partitions);
  await on((channel) => channel.assertExchange(topic.name, "topic", { durable: true, alternateExchange: foreign })).catch(
    (cause) => {
      throw mismatch(cause, topic, partitions);
    },
  );
  await on((channel) => channel.assertExchange(foreign, "fanout", { durable: true }));
}

/** The live number of partitions of a topic that exists; undefined when there is no such topic. Declares nothing new. */
export async function livePartitions(on: OnChannel, topic: TopicSpec): Promise<number | undefined> {
  if (!(await exists(on, (channel) => channel.checkExchange(topic.name)))) return undefined;
  const declared = partitionsOf(topic);
  if (await exists(on, (channel) => channel.checkExchange(foreignExchange(topic.name, declared)))) return declared;
  const alternateExchange = foreignExchange(topic.name, declared);
  return on((channel) => channel.assertExchange(topic.name, "topic", { durable: true, alternateExchange })).then(
    () => declared,
    (cause) => liveCount(cause, topic.name) ?? Promise.reject(mismatch(cause, topic, declared)),
  );
}

/** Everything of a group: its partition queues, its own exchange and its dead letters. */
export async function declareGroup(on: OnChannel, topic: TopicSpec, group: string): Promise<Drift[]> {
  const drift: Drift[] = [];
  const own = groupExchange(topic.name, group);
  const partitions = partitionsOf(topic);
  const queue = async (name: string, args: Readonly<Record<string, unknown>>): Promise<void> => {
    await on((channel) => channel.assertQueue(name, { durable: true, arguments: args })).catch((cause) => {
      drift.push(harmless(cause, name, topic, group));
    });
  };
  await on((channel) => channel.assertExchange(own, "topic", { durable: true }));
  await queue(deadLetterQueue(topic.name, group), QUORUM);
  for (let partition = 0; partition < partitions; partition++) {
    const name = partitionQueue(topic.name, group, partition);
    await queue(name, topic.keyed ? ONE_CONSUMER : QUORUM);
    await on(async (channel) => {
      await channel.bindQueue(name, own, `${partition}.#`);
      await channel.bindQueue(name, topic.name, `${partition}.#`);
      if (partition === 0) await channel.bindQueue(name, foreignExchange(topic.name, partitions), "");
    });
  }
  return drift;
}

/** Rejects with `TOPIC_NOT_FOUND` where a queue of the group is missing. */
export async function checkGroup(on: OnChannel, topic: TopicSpec, group: string, partitions: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const name = partitionQueue(topic.name, group, partition);
    if (!(await exists(on, (channel) => channel.checkQueue(name))))
      throw missing(`Queue "${name}" does not exist.`, topic.name, group);
  }
}

/**
 * A place where messages wait for `ms`, then go back to the partition queues of this group and no other. What expires is kept until the
 * queue behind has confirmed it.
 */
export async function declareDelay(on: OnChannel, topic: string, group: string, ms: number): Promise<void> {
  const name = delayName(topic, group, ms);
  const args = {
    ...QUORUM,
    "x-message-ttl": ms,
    "x-dead-letter-exchange": groupExchange(topic, group),
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
  await on(async (channel) => {
    await channel.assertExchange(name, "fanout", { durable: true });
    await channel.assertQueue(name, { durable: true, arguments: args });
    await channel.bindQueue(name, name, "");
  });
}

/** Whether a passive declaration finds its object. */
export async function exists(on: OnChannel, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  return on(check).then(
    () => true,
    (cause) => (replyCode(cause) === REPLY.notFound ? false : Promise.reject(cause)),
  );
}

/** The error of something that should be there. */
export function missing(message: string, topic: string, group?: string): WaybillError {
  return new WaybillError("WAYBILL_TOPIC_NOT_FOUND", message, {
    topic,
    ...(group !== undefined && { group }),
    hint: 'Create it first, or let the bus do so with provision: "create".',
  });
}

/** "inequivalent arg 'alternate-exchange' for exchange 'orders' in vhost '/': received 'orders.p5' but current is 'orders.p4'" */
function liveCount(cause: unknown, topic: string): number | undefined {
  if (replyCode(cause) !== REPLY.preconditionFailed) return undefined;
  const [, name, count] = /current is (?:the value )?'(.+)\.p(\d+)'/.exec(toError(cause).message) ?? [];
  return name === topic ? Number(count) : undefined;
}

function mismatch(cause: unknown, topic: TopicSpec, declared: number): unknown {
  const live = liveCount(cause, topic.name);
  if (live === undefined) return cause;
  return new WaybillError(
    "WAYBILL_TOPIC_MISMATCH",
    `Topic "${topic.name}" has ${live} partitions on the broker, not ${declared}.`,
    {
      topic: topic.name,
      hint: "Partitions of a topic cannot change on RabbitMQ: declare the live number, or move to a topic of another name.",
      cause,
    },
  );
}

/** Arguments of a live queue cannot change. Only its type and how it hands out messages decide over loss and order. */
function harmless(cause: unknown, queue: string, topic: TopicSpec, group: string): Drift {
  const text = toError(cause).message;
  const [, argument, declared, live] =
    /inequivalent arg '([^']+)' .*?: received (.+?) but current is (.+?)"?$/.exec(text.replaceAll(/the value /g, "")) ?? [];
  const decisive =
    argument === undefined || ["x-queue-type", "x-single-active-consumer", "durable", "exclusive"].includes(argument);
  if (replyCode(cause) !== REPLY.preconditionFailed) throw cause;
  if (decisive) throw operationError(cause, `Queue "${queue}" cannot be used`, { topic: topic.name, group });
  return { what: `${argument} of queue "${queue}"`, declared: declared ?? "", live: live ?? "" };
}
