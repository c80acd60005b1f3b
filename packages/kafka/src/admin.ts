import type { DeadLetterStore, TransportAdmin } from "@waybill/core/transport";
import type { EngineAdmin } from "./engine.ts";
import { groupId, groupOf, isTopic } from "./names.ts";

/** The operations of {@link TransportAdmin}; `persist` tries each until it succeeds or cannot. */
export function createAdmin(
  admin: EngineAdmin,
  persist: <T>(what: string, action: () => Promise<T>) => Promise<T>,
  deadLetters: (topic: string, group: string) => DeadLetterStore,
): TransportAdmin {
  const groupsOf = async (topic: string, names: readonly string[]): Promise<string[]> => {
    const ids = await admin.groups();
    // A group that was provided for and never joined has its companions only.
    const found = [...ids, ...names.filter((name) => !isTopic(name))].flatMap((name) => groupOf(topic, name) ?? []);
    return [...new Set(found)].sort();
  };
  return {
    deadLetters,
    topics: () =>
      persist("Topics cannot be listed", async () =>
        (await admin.topics()).filter(({ name }) => isTopic(name)).map(({ name, partitions }) => ({ name, partitions })),
      ),
    groups: (topic) =>
      persist(`Groups of ${topic} cannot be listed`, async () => {
        const names = (await admin.topics()).map(({ name }) => name);
        const groups = await groupsOf(topic, names);
        const members = await admin.members(groups.map((group) => groupId(topic, group)));
        return groups.map((group) => ({ group, members: members.get(groupId(topic, group)) ?? 0 }));
      }),
    deleteTopic: (topic) =>
      persist(`Topic ${topic} cannot be deleted`, async () => {
        const names = (await admin.topics()).map(({ name }) => name);
        const groups = await groupsOf(topic, names);
        const doomed = names.filter((name) => name === topic || (!isTopic(name) && groupOf(topic, name) !== undefined));
        await admin.deleteTopics(doomed);
        await admin.deleteGroups(groups.map((group) => groupId(topic, group)));
      }),
  };
}
