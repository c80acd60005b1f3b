import type { Destination } from "@waybill/core/transport";

/** What stands beside a topic for each of its groups. */
const COMPANION = /\.(?:dlq|retry|delay\.\d+)$/;

/** Kafka's group.id: named after the topic, so that members of one are homogeneous and a rebalance touches one topic. */
export const groupId = (topic: string, group: string): string => `${topic}.${group}`;

/** Dead letters of a group. */
export const deadName = (topic: string, group: string): string => `${topic}.${group}.dlq`;

/** Messages to one group alone. */
export const retryName = (topic: string, group: string): string => `${topic}.${group}.retry`;

/** Messages to one group alone, not before `ms` have passed, in whole milliseconds. */
export const delayName = (topic: string, group: string, ms: number): string => `${topic}.${group}.delay.${Math.ceil(ms)}`;

/** The delay of a Kafka topic that holds messages back for this group. */
export function delayOf(topic: string, group: string, name: string): number | undefined {
  const ms = Number(/\.delay\.(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  return name === delayName(topic, group, ms) ? ms : undefined;
}

/** The Kafka topic of a destination. */
export function topicOf(to: Destination): string {
  const { kind, topic } = to;
  if (kind === "topic") return topic.name;
  if (kind === "dead") return deadName(topic.name, to.group);
  return kind === "delay" ? delayName(topic.name, to.group, to.ms) : retryName(topic.name, to.group);
}

/** What positions in a Kafka topic begin with, so that those of a group's several topics differ. */
export function positionPrefix(topic: string, group: string, name: string): string {
  const ms = delayOf(topic, group, name);
  if (ms !== undefined) return `delay.${ms}:`;
  return name === retryName(topic, group) ? "retry:" : "";
}

/** Whether a Kafka topic is one that somebody publishes to, not one of Kafka's own nor one that stands beside another. */
export function isTopic(name: string): boolean {
  return !name.startsWith("__") && !COMPANION.test(name);
}

/** The group that a group.id or the name of a companion speaks of, where it belongs to `topic`. Groups have no dots. */
export function groupOf(topic: string, name: string): string | undefined {
  if (!name.startsWith(`${topic}.`)) return undefined;
  const group = name.slice(topic.length + 1).replace(COMPANION, "");
  return /^[A-Za-z0-9_-]+$/.test(group) ? group : undefined;
}
