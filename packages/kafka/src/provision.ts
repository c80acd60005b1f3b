import { type Drift, type Provision, type Provisioned, type TopicSpec, WaybillError } from "@waybill/core/transport";
import type { EngineAdmin, NewTopic, TopicInfo } from "./engine.ts";
import { EngineError } from "./engine.ts";
import { deadName, delayName, retryName } from "./names.ts";

/** Where a dead letter must fit: the message with its diagnosis. */
const DEAD_RESERVE = 1_048_576;

export interface ProvisionOptions {
  readonly mode: Provision;
  /** Delays that each group of the topic needs, in milliseconds. */
  readonly delays: readonly number[];
  readonly maxMessageBytes: number;
}

/** Makes, compares or takes what there is. One attempt: rejects with what may be cured by another. */
export async function provision(
  admin: EngineAdmin,
  spec: TopicSpec,
  { mode, delays, maxMessageBytes }: ProvisionOptions,
): Promise<Provisioned & { readonly missing: readonly string[] }> {
  const delayed = spec.groups.flatMap((group) => delays.map((ms) => delayName(spec.name, group, ms)));
  const companions = [...spec.groups.flatMap((group) => [deadName(spec.name, group), retryName(spec.name, group)]), ...delayed];
  const names = [spec.name, ...companions];
  let live = await look(admin, names);
  if (mode === "create") {
    if (!live.has(spec.name)) await admin.createTopics([main(spec)]);
    // Companions follow the live count, whatever was declared.
    live = await look(admin, [spec.name]);
    const partitions = live.get(spec.name)?.partitions;
    if (partitions !== undefined) await createMissing(admin, companionsOf(spec, delays, partitions, maxMessageBytes), partitions);
    live = await look(admin, names);
  }
  const topic = live.get(spec.name);
  if (topic === undefined || (mode === "create" && names.some((name) => !live.get(name)?.available))) {
    if (mode === "create") throw new EngineError("busy", `${spec.name} was created and is not there yet`);
    throw new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `There is no topic ${spec.name}.`, {
      topic: spec.name,
      hint: "Create it, or provision with `create`.",
    });
  }
  const missing = companions.filter((name) => !live.has(name));
  // Without a delayed destination a message that failed could go nowhere.
  const lacking = mode === "check" ? missing : missing.filter((name) => delayed.includes(name));
  if (lacking.length > 0) {
    throw new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `The groups of ${spec.name} lack ${lacking.join(", ")}.`, {
      topic: spec.name,
      hint: "Create them, or provision with `create`.",
    });
  }
  const drift = mode === "off" ? [] : await compare(admin, spec, topic);
  return { partitions: topic.partitions, drift, missing };
}

function main({ name, partitions, retention }: TopicSpec): NewTopic {
  return { name, partitions, config: retention === undefined ? {} : { "retention.ms": String(Math.round(retention)) } };
}

/** What stands beside a topic for its groups. */
function companionsOf(
  { name, groups }: TopicSpec,
  delays: readonly number[],
  partitions: number,
  maxMessageBytes: number,
): readonly NewTopic[] {
  const size = { "max.message.bytes": String(maxMessageBytes + DEAD_RESERVE) };
  return groups.flatMap((group) => [
    { name: deadName(name, group), partitions, config: { ...size, "cleanup.policy": "compact" } },
    { name: retryName(name, group), partitions, config: size },
    ...delays.map((ms) => ({
      name: delayName(name, group, ms),
      partitions,
      // A group that is away for long finds its messages all the same.
      config: { ...size, "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1" },
    })),
  ]);
}

async function createMissing(admin: EngineAdmin, wanted: readonly NewTopic[], partitions: number): Promise<void> {
  if (wanted.length === 0) return;
  const live = await look(
    admin,
    wanted.map((topic) => topic.name),
  );
  const absent = wanted.filter((topic) => !live.has(topic.name));
  if (absent.length > 0) await admin.createTopics(absent);
  // A partition's dead letters, replays and delayed messages stand in the partition of the same number.
  for (const topic of live.values()) if (topic.partitions < partitions) await admin.growTopic(topic.name, partitions);
}

async function look(admin: EngineAdmin, names: readonly string[]): Promise<ReadonlyMap<string, TopicInfo>> {
  return new Map((await admin.topics(names)).map((topic) => [topic.name, topic]));
}

async function compare(admin: EngineAdmin, spec: TopicSpec, live: TopicInfo): Promise<readonly Drift[]> {
  const drift: Drift[] = [];
  const note = (what: string, declared: string, found: string | undefined): void => {
    if (found !== undefined && found !== declared) drift.push({ what, declared, live: found });
  };
  note("partitions", String(spec.partitions), String(live.partitions));
  const config = await admin.config(spec.name).catch((error: unknown) => {
    // Publishing and consuming need no right to see settings.
    if (error instanceof EngineError && error.kind === "authorization") return {} as Readonly<Record<string, string>>;
    // Made a moment ago, and not every broker has heard of it.
    if (error instanceof EngineError && error.kind === "unknown-topic") throw new EngineError("busy", error.message, error);
    throw error;
  });
  if (spec.retention !== undefined) note("retention.ms", String(Math.round(spec.retention)), config["retention.ms"]);
  note("cleanup.policy", "delete", config["cleanup.policy"]);
  return drift;
}
