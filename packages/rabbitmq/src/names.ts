/**
 * What everything is called on the broker. Topics cannot end in `dlq`, `retry`, `park`, `delay`, digits or `p<digits>`, and groups have no dots
 * (`checkTopicName`, `checkGroupName`), so that none of these can be the object of another topic or group. Exchanges and queues are named apart.
 */

/** Takes what the topic's exchange cannot route. Its name carries the number of partitions, so that declaring another number is refused. */
export const foreignExchange = (topic: string, partitions: number): string => `${topic}.p${partitions}`;

/** Leads to the queues of one group alone: replays, and what comes back from a delay. */
export const groupExchange = (topic: string, group: string): string => `${topic}.${group}.retry`;

export const partitionQueue = (topic: string, group: string, partition: number): string => `${topic}.${group}.${partition}`;

export const deadLetterQueue = (topic: string, group: string): string => `${topic}.${group}.dlq`;

/** Of the exchange and of its only queue. */
export const delayName = (topic: string, group: string, ms: number): string => `${topic}.${group}.delay.${ms}`;

/** Held exclusively by the member that has the slot. */
export const slotQueue = (topic: string, group: string, slot: number): string => `${topic}.${group}.slot-${slot}`;

/** Carries no messages: each member has one consumer on it, and their number is the number of members. */
export const rosterQueue = (topic: string, group: string): string => `${topic}.${group}.roster`;

/** A stream of what was created here, because AMQP 0-9-1 cannot list. */
export const REGISTRY = "waybill.registry";

const LONGEST_KEY = 255;

/** `<partition>.<type>`; bound as `<partition>.#`, so that a type that is absent or too long for a routing key costs only itself. */
export function routingKey(partition: number, type: string | undefined): string {
  if (type === undefined) return String(partition);
  const key = `${partition}.${type}`;
  // A character takes three bytes at most where JavaScript counts one.
  return key.length * 3 <= LONGEST_KEY || Buffer.byteLength(key) <= LONGEST_KEY ? key : String(partition);
}
