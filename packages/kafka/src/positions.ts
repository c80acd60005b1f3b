import type { ConsumeSpec } from "@waybill/core/transport";
import type { EngineAdmin, TopicPartition } from "./engine.ts";
import { groupId } from "./names.ts";

/** Where a partition is read from. */
export interface Start {
  readonly of: TopicPartition;
  readonly offset: number;
  readonly committed: number | undefined;
  /** What the group had not read is gone. */
  readonly gap: boolean;
}

/**
 * Where each of `partitions` begins, said explicitly: what a client does by default is to jump to the end when it finds itself out of range.
 * `undefined` as long as the leader of the group has not yet pinned where a group without any position begins (see {@link pins}).
 */
export async function startsOf(
  admin: EngineAdmin,
  spec: ConsumeSpec,
  partitions: readonly TopicPartition[],
): Promise<readonly Start[] | undefined> {
  const group = groupId(spec.topic.name, spec.group);
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)];
  const starts = await Promise.all(
    topics.map(async ([topic, own]) => {
      // Committed first: a record that is dropped in between is a gap then, and not overlooked.
      const committed = await admin.committed(group, topic);
      const offsets = await admin.offsets(topic);
      const begins = own.map(
        (of): Start => start(of, committed.get(of.partition), offsets.get(of.partition) ?? { low: 0, high: 0 }),
      );
      return spec.from !== "earliest" && topic === spec.topic.name && committed.size === 0 ? undefined : begins;
    }),
  );
  return starts.some((one) => one === undefined) ? undefined : starts.flatMap((one) => one ?? []);
}

function start(of: TopicPartition, committed: number | undefined, { low, high }: { low: number; high: number }): Start {
  // A partition without a position, in a group that has some, was added later: it is read from its start.
  if (committed === undefined) return { of, offset: low, committed, gap: false };
  // Behind the end: the topic was deleted and made again, or has lost its end.
  const gap = committed < low || committed > high;
  return { of, offset: gap ? low : committed, committed, gap };
}

/**
 * What the leader of a group without any position commits before anyone reads, for all partitions at once: otherwise a group that begins at the
 * latest would, after a restart before its first commit, begin later than it had.
 */
export async function pins(
  admin: EngineAdmin,
  spec: ConsumeSpec,
): Promise<readonly (TopicPartition & { readonly offset: number })[]> {
  const topic = spec.topic.name;
  if (spec.from === "earliest") return [];
  const committed = await admin.committed(groupId(topic, spec.group), topic);
  if (committed.size > 0) return [];
  if (spec.from === "latest") {
    return [...(await admin.offsets(topic))].map(([partition, { high }]) => ({ topic, partition, offset: high }));
  }
  return [...(await admin.offsetsAt(topic, spec.from.getTime()))].map(([partition, offset]) => ({ topic, partition, offset }));
}
