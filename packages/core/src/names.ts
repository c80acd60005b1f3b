import { WaybillError } from "./errors.ts";

/** Long enough for what stands on every broker, with room for `.<group>.retry` and `.<group>.delay.<ms>` behind it. */
const TOPIC_MAX = 150;
const GROUP_MAX = 64;
const RESERVED = new Set(["dlq", "retry", "park", "delay"]);

/** Throws `TOPIC_INVALID` for a name that some broker could not take, or that would collide with one of ours. The same on every transport. */
export function checkTopicName(name: unknown): asserts name is string {
  const problem = topicNameProblem(name);
  if (problem !== undefined) {
    throw new WaybillError("WAYBILL_TOPIC_INVALID", `Topic ${JSON.stringify(name)} ${problem}.`, {
      hint: `Use up to ${TOPIC_MAX} characters of letters, digits, ".", "_" and "-", such as "shop.orders".`,
    });
  }
}

function topicNameProblem(name: unknown): string | undefined {
  if (typeof name !== "string" || name === "") return "is no name";
  if (name.length > TOPIC_MAX) return `has ${name.length} characters`;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return "has characters that a broker may not take";
  if (/^\.|\.$|\.\./.test(name)) return "has an empty part between its dots";
  const last = name.slice(name.lastIndexOf(".") + 1);
  // Behind a dot, a number is a partition and "p4" says how many there are.
  if (RESERVED.has(last) || (name !== last && /^p?\d+$/.test(last))) return `ends in "${last}", which is reserved`;
  return undefined;
}

/** Throws `CONFIG_INVALID` for a group that could not stand in `<topic>.<group>.<n>`: groups have no dots. */
export function checkGroupName(group: unknown): asserts group is string {
  if (typeof group === "string" && group.length <= GROUP_MAX && /^[A-Za-z0-9_-]+$/.test(group) && !RESERVED.has(group)) return;
  throw new WaybillError("WAYBILL_CONFIG_INVALID", `Group ${JSON.stringify(group)} is no name of a group.`, {
    hint: `Use up to ${GROUP_MAX} letters, digits, "_" and "-", and none of ${[...RESERVED].join(", ")}.`,
  });
}

/** Names that Kafka's metrics cannot tell apart: equal here means refused together. */
export function confusable(name: string): string {
  return name.replaceAll(".", "_");
}
