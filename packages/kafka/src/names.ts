import type { Destination } from "@waybill/core/transport";

/** What stands beside a topic for each of its groups. */
const COMPANION = /\.(?:dlq|retry)$/;

/** Kafka's group.id: named after the topic, so that members of one are homogeneous and a rebalance touches one topic. */
export const groupId = (topic: string, group: string): string => `${topic}.${group}`;

/** Dead letters of a group. */
export const deadName = (topic: string, group: string): string => `${topic}.${group}.dlq`;

/** Messages to one group alone. */
export const retryName = (topic: string, group: string): string => `${topic}.${group}.retry`;

/** The Kafka topic of a destination. */
export function topicOf(to: Destination): string {
  if (to.kind === "topic") return to.topic.name;
  return to.kind === "dead" ? deadName(to.topic.name, to.group) : retryName(to.topic.name, to.group);
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
