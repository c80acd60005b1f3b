import kafkajs, { type Assigner, type Cluster } from "kafkajs";
import { assign, type Member } from "../assignment.ts";
import type { TopicPartition } from "../engine.ts";

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

/** Of the user data below. */
const VERSION = 1;

/** Our assignment as a protocol of kafkajs: each member tells in its user data what it has. */
export function coAssigner(cluster: Cluster, owned: () => readonly TopicPartition[]): Assigner {
  return {
    name: "waybill-sticky",
    version: VERSION,
    protocol: ({ topics }) => ({
      name: "waybill-sticky",
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: encodeOwned(owned()) }),
    }),
    async assign({ members }) {
      const decoded = members.map(({ memberId, memberMetadata }): Member => {
        const metadata = MemberMetadata.decode(memberMetadata);
        return { id: memberId, topics: metadata?.topics ?? [], owned: decodeOwned(metadata?.userData) };
      });
      const topics = new Set(decoded.flatMap((member) => member.topics));
      const counts = new Map([...topics].map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
      return [...assign(decoded, counts)].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: Object.fromEntries(
            [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, group]) => [
              topic,
              group.map(({ partition }) => partition),
            ]),
          ),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  };
}

function encodeOwned(owned: readonly TopicPartition[]): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, owned: owned.map(({ topic, partition }) => [topic, partition]) }));
}

/** What another version wrote, or nobody, counts as nothing owned. */
function decodeOwned(userData: Buffer | null | undefined): TopicPartition[] {
  try {
    const { version, owned } = JSON.parse(String(userData)) as { version: number; owned: [string, number][] };
    return version === VERSION ? owned.map(([topic, partition]) => ({ topic, partition })) : [];
  } catch {
    return [];
  }
}
