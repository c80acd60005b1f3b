import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assign, type Member } from "../src/assignment.ts";
import type { TopicPartition } from "../src/engine.ts";

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** Members that subscribe to a topic and its retry topic, with leftovers of earlier generations that may contradict each other. */
const groups = fc
  .record({ members: fc.integer({ min: 1, max: 8 }), partitions: fc.integer({ min: 1, max: 24 }) })
  .chain(({ members, partitions }) =>
    fc.record({
      partitions: fc.constant(new Map(["t", "t.g.retry"].map((topic) => [topic, partitions]))),
      members: fc.tuple(
        ...Array.from({ length: members }, (_, i) =>
          fc.array(fc.integer({ min: 0, max: partitions + 3 }), { maxLength: partitions }).map(
            (owned): Member => ({
              id: `m${i}`,
              topics: ["t", "t.g.retry"],
              owned: owned.flatMap((partition) => ["t", "t.g.retry"].map((topic) => ({ topic, partition }))),
            }),
          ),
        ),
      ),
    }),
  );

const after = (members: readonly Member[], assignment: ReadonlyMap<string, readonly TopicPartition[]>): Member[] =>
  members.map((member) => ({ ...member, owned: assignment.get(member.id) ?? [] }));

describe("the assignment", () => {
  test("gives every partition to exactly one member", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const given = [...assign(members, partitions).values()].flat().map(keyOf).sort();
        const all = [...partitions].flatMap(([topic, count]) => Array.from({ length: count }, (_, i) => `${topic}/${i}`));
        expect(given).toEqual(all.sort());
      }),
    );
  });

  test("is balanced within one", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const counts = [...assign(members, partitions).values()].map((own) => own.filter(({ topic }) => topic === "t").length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("keeps a partition and that of the retry topic together", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        for (const own of assign(members, partitions).values()) {
          const numbers = (topic: string) => own.filter((one) => one.topic === topic).map(({ partition }) => partition);
          expect(numbers("t")).toEqual(numbers("t.g.retry"));
        }
      }),
    );
  });

  test("does not depend on the order in which members are listed", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const sorted = (map: Map<string, TopicPartition[]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(sorted(assign([...members].reverse(), partitions))).toEqual(sorted(assign(members, partitions)));
      }),
    );
  });

  test("changes nothing when nothing has changed", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const first = assign(members, partitions);
        expect(assign(after(members, first), partitions)).toEqual(first);
      }),
    );
  });

  test("moves to a member that joins only what it must have", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const first = assign(members, partitions);
        const joined: Member[] = [...after(members, first), { id: "new", topics: ["t", "t.g.retry"], owned: [] }];
        const second = assign(joined, partitions);
        for (const [id, own] of second) {
          const before = new Set(first.get(id)?.map(keyOf));
          if (id !== "new") expect(own.every((one) => before.has(keyOf(one)))).toBe(true);
        }
      }),
    );
  });

  test("takes from nobody when a member leaves", () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const first = assign(members, partitions);
        const left = after(members, first).slice(1);
        if (left.length === 0) return;
        const second = assign(left, partitions);
        for (const { id } of left) {
          const now = new Set(second.get(id)?.map(keyOf));
          expect(first.get(id)?.every((one) => now.has(keyOf(one)))).toBe(true);
        }
      }),
    );
  });

  test("gives nobody a topic that it did not subscribe to", () => {
    const member = (id: string, topics: string[]): Member => ({ id, topics, owned: [] });
    const members = [member("a", ["t", "u"]), member("b", ["t"]), member("c", ["u"])];
    const result = assign(members, new Map([...["t", "u", "nobody"].map((topic) => [topic, 4] as const)]));
    for (const { id, topics } of members) expect(result.get(id)?.every(({ topic }) => topics.includes(topic))).toBe(true);
    expect([...result.values()].flat().map(keyOf).sort()).toEqual(
      ["t", "u"].flatMap((topic) => [0, 1, 2, 3].map((partition) => `${topic}/${partition}`)),
    );
  });

  test("gives the partitions that a topic has more than its retry topic", () => {
    const result = assign(
      [{ id: "a", topics: ["t", "t.g.retry"], owned: [] }],
      new Map([...Object.entries({ t: 3, "t.g.retry": 2 })]),
    );
    expect(result.get("a")).toHaveLength(5);
  });
});
