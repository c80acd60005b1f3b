import type { TopicPartition } from "./engine.ts";

/** A member of a group, as the one that assigns sees it. */
export interface Member {
  readonly id: string;
  /** What it subscribed to. It is assigned nothing else. */
  readonly topics: readonly string[];
  /** What it had before. */
  readonly owned: readonly TopicPartition[];
}

/**
 * Shares out the partitions of a group. Partitions of the same number go together where the same members subscribe to their topics, so that a
 * topic's partition and that of its retry topic have one owner. Among the members that may have a number, nobody has two more than another; who
 * had one keeps it where that allows. The same input gives the same result, in whatever order it comes.
 */
export function assign(members: readonly Member[], partitions: ReadonlyMap<string, number>): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const result = new Map<string, TopicPartition[]>(sorted.map(({ id }) => [id, []]));
  for (const { topics, subscribers } of classesOf(sorted, partitions)) {
    const count = Math.max(...topics.map((topic) => partitions.get(topic) ?? 0));
    const owners = share(count, subscribers, topics);
    for (const topic of topics) {
      for (let partition = 0; partition < (partitions.get(topic) ?? 0); partition++) {
        const owner = owners[partition];
        if (owner !== undefined) result.get(owner)?.push({ topic, partition });
      }
    }
  }
  return result;
}

/** Topics that the same members subscribe to. */
function classesOf(members: readonly Member[], partitions: ReadonlyMap<string, number>) {
  const classes = new Map<string, { topics: string[]; subscribers: readonly Member[] }>();
  for (const topic of [...partitions.keys()].sort()) {
    const subscribers = members.filter(({ topics }) => topics.includes(topic));
    if (subscribers.length === 0) continue;
    const key = subscribers.map(({ id }) => id).join("\0");
    const found = classes.get(key);
    if (found === undefined) classes.set(key, { topics: [topic], subscribers });
    else found.topics.push(topic);
  }
  return classes.values();
}

/** The owner of each number from 0 to `count`. */
function share(count: number, members: readonly Member[], topics: readonly string[]): (string | undefined)[] {
  const owners: (string | undefined)[] = Array.from({ length: count });
  const load = new Map(members.map(({ id }) => [id, 0]));
  const floor = Math.floor(count / members.length);
  let extra = count % members.length;

  // First what stays. The members that had most take the places that are left over.
  const before = members.map(({ id, owned }) => ({ id, numbers: numbersOf(owned, topics, count) }));
  before.sort((a, b) => b.numbers.length - a.numbers.length);
  for (const { id, numbers } of before) {
    for (const number of numbers) {
      const has = load.get(id) ?? 0;
      if (owners[number] !== undefined || has > floor || (has === floor && extra === 0)) continue;
      if (has === floor) extra--;
      owners[number] = id;
      load.set(id, has + 1);
    }
  }

  // Then what nobody has, to whoever has least.
  for (let number = 0; number < count; number++) {
    if (owners[number] !== undefined) continue;
    let least = "";
    for (const [id, has] of load) if (least === "" || has < (load.get(least) ?? 0)) least = id;
    owners[number] = least;
    load.set(least, (load.get(least) ?? 0) + 1);
  }
  return owners;
}

function numbersOf(owned: readonly TopicPartition[], topics: readonly string[], count: number): number[] {
  const numbers = owned.filter(({ topic, partition }) => topics.includes(topic) && partition >= 0 && partition < count);
  return [...new Set(numbers.map(({ partition }) => partition))].sort((a, b) => a - b);
}
