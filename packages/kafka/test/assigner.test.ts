import kafkajs, { type Cluster } from "kafkajs";
import { expect, test } from "vitest";
import type { TopicPartition } from "../src/engine.ts";
import { coAssigner } from "../src/kafkajs/assigner.ts";

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const cluster = { findTopicPartitionMetadata: () => Array.from({ length: 4 }) } as unknown as Cluster;
const owned = (...partitions: number[]): TopicPartition[] => partitions.map((partition) => ({ topic: "t", partition }));

async function assigned(members: { memberId: string; memberMetadata: Buffer }[]): Promise<Record<string, number[] | undefined>> {
  const assignment = await coAssigner(cluster, () => []).assign({ members, topics: ["t"] });
  return Object.fromEntries(
    assignment.map(({ memberId, memberAssignment }) => [memberId, MemberAssignment.decode(memberAssignment)?.assignment.t]),
  );
}

const member = (memberId: string, userData: Buffer) => ({
  memberId,
  memberMetadata: MemberMetadata.encode({ version: 1, topics: ["t"], userData }),
});

const ours = (...partitions: number[]): Buffer => {
  const { metadata } = coAssigner(cluster, () => owned(...partitions)).protocol({ topics: ["t"] });
  return MemberMetadata.decode(metadata)?.userData ?? Buffer.alloc(0);
};

test("what a member tells that it has, it keeps", async () => {
  expect(await assigned([member("a", ours(1, 3)), member("b", ours(0, 2))])).toEqual({ a: [1, 3], b: [0, 2] });
});

test("what another version tells, or nobody, or who talks nonsense, counts for nothing", async () => {
  const later = Buffer.from(JSON.stringify({ version: 2, owned: { t: [0, 1, 2, 3] } }));
  for (const userData of [later, Buffer.alloc(0), Buffer.from("nonsense"), Buffer.from("null")]) {
    expect(await assigned([member("a", userData), member("b", ours(0, 2))])).toEqual({ a: [1, 3], b: [0, 2] });
  }
});
