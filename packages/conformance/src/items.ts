import assert from "node:assert/strict";
import type { Bus, Topic } from "@waybill/core";
import { partitionOf } from "@waybill/core/transport";
import type { Item, Lab, Stream } from "./lab.ts";

/** Never published as an ordinary item: what is handled after it in a partition was published after it. */
const LAST = -1;

/** `[0, 1, …, count - 1]` */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The items 0 to `count - 1` of each key, as a publisher that is fair to all keys sends them. */
export function itemsOf(keys: readonly string[], count: number, from = 0): readonly Item[] {
  return range(count).flatMap((i) => keys.map((key) => ({ key, n: from + i })));
}

export const label = ({ key, n }: Item): string => `${key}#${n}`;

/** Publishes all at once and waits until all are stored. */
export async function publishAll(bus: Bus, stream: Stream, items: readonly Item[]): Promise<void> {
  await Promise.all(items.map((item) => bus.publish(stream, item)));
}

/** One key for each partition. */
export function keyPerPartition(topic: Topic): readonly string[] {
  const partitions = topic.options.partitions ?? 4;
  const keys: string[] = [];
  for (let i = 0, found = 0; found < partitions; i++) {
    const key = `key-${i}`;
    const partition = partitionOf(Buffer.from(key), partitions);
    if (keys[partition] !== undefined) continue;
    keys[partition] = key;
    found++;
  }
  return keys;
}

/** Waits until every item of `expected` is in `got`. */
export async function arrived(lab: Lab, got: readonly Item[], expected: readonly Item[]): Promise<void> {
  const missing = new Set(expected.map(label));
  let read = 0;
  const done = () => {
    for (; read < got.length; read++) missing.delete(label(got[read] as Item));
    return missing.size === 0;
  };
  await lab.until(done, () => `${missing.size} of ${expected.length} messages: ${some([...missing])}`);
}

/**
 * Waits until every item of `expected` is in `got`, then until one more message of every partition is, and asserts that nothing has come
 * twice or astray. `got` must be fed from all members of one group.
 */
export async function arrivedOnce(
  lab: Lab,
  bus: Bus,
  stream: Stream,
  got: readonly Item[],
  expected: readonly Item[],
): Promise<void> {
  await arrived(lab, got, expected);
  await nothingMore(lab, bus, stream, got);
  const counts = new Map<string, number>();
  for (const item of got) if (item.n !== LAST) counts.set(label(item), (counts.get(label(item)) ?? 0) + 1);
  const twice = [...counts].filter(([, count]) => count > 1).map(([name, count]) => `${name} (${count} times)`);
  assert.deepEqual(twice, [], `messages came more than once: ${some(twice)}`);
  const wanted = new Set(expected.map(label));
  const astray = [...counts.keys()].filter((name) => !wanted.has(name));
  assert.deepEqual(astray, [], `messages came astray: ${some(astray)}`);
}

/** Waits until all that has been published so far would have been handled: until a last message of every partition has. */
async function nothingMore(lab: Lab, bus: Bus, stream: Stream, got: readonly Item[]): Promise<void> {
  const keys = keyPerPartition(stream);
  const before = got.length;
  await publishAll(
    bus,
    stream,
    keys.map((key) => ({ key, n: LAST })),
  );
  const last = () => got.slice(before).filter(({ n }) => n === LAST).length;
  await lab.until(
    () => last() >= keys.length,
    () => `a last message in each of ${keys.length} partitions, not in ${last()}`,
  );
}

function some(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(", ")}, …` : names.join(", ");
}
