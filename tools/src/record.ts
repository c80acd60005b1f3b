import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isRunning, type ProcessId } from "./system/identity.ts";
import { brokersDir } from "./system/paths.ts";
import { endProcess, run } from "./system/process.ts";

/** Which broker a cluster is of. */
export type BrokerKind = "kafka" | "rabbitmq";

/** What is kept on disk of a cluster while it runs: enough for another process to name it, and to end it. */
export interface ClusterRecord {
  readonly id: string;
  readonly kind: BrokerKind;
  readonly version: string;
  /** One URL that names all nodes. */
  readonly url: string;
  /** One URL a node. */
  readonly urls: readonly string[];
  /** Holds its configuration, logs and data. */
  readonly dir: string;
  /** Whether `dir` is removed with the cluster. */
  readonly ephemeral: boolean;
  /** The process it must not outlive; null for one that runs until it is stopped. */
  readonly owner: ProcessId | null;
  /** Every process of it, by name; none when docker runs it. */
  readonly processes: Readonly<Record<string, ProcessId>>;
  /** The docker compose project that it is. */
  readonly compose?: { readonly file: string; readonly project: string };
}

/** Writes a new record, owned by this process. Without `dir` it has a directory of its own, which goes with it. */
export function createRecord(init: { kind: BrokerKind; version: string; dir?: string | undefined }): ClusterRecord {
  const id = `${init.kind}-${randomBytes(4).toString("hex")}`;
  const dir = init.dir ?? join(brokersDir(), "data", id);
  mkdirSync(dir, { recursive: true });
  const owner = identify(process.pid);
  if (!owner) throw new Error("this process has no identity");
  const record: ClusterRecord = { id, ...init, url: "", urls: [], dir, ephemeral: init.dir === undefined, owner, processes: {} };
  saveRecord(record);
  return record;
}

/** The file of a record. */
export function recordFile(id: string): string {
  return join(brokersDir(), "clusters", `${id}.json`);
}

/** Writes a record; a reader sees the old one or the new one, never half of it. */
export function saveRecord(record: ClusterRecord): void {
  const file = recordFile(record.id);
  mkdirSync(join(brokersDir(), "clusters"), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(record, null, 2));
  renameSync(`${file}.new`, file);
}

/** Reads a record; undefined when it has been removed. */
export function readRecord(file: string): ClusterRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ClusterRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** All records, those of dead clusters included. */
export function listRecords(): ClusterRecord[] {
  let names: string[];
  try {
    names = readdirSync(join(brokersDir(), "clusters"));
  } catch {
    return [];
  }
  return names.filter((name) => name.endsWith(".json")).flatMap((name) => readRecord(join(brokersDir(), "clusters", name)) ?? []);
}

/** Whether any process of it runs; what docker runs counts as alive until it is destroyed. */
export function isAlive(record: ClusterRecord): boolean {
  return record.compose !== undefined || Object.values(record.processes).some(isRunning);
}

/** Ends all processes of a cluster, and removes its record and, when it is ephemeral, its data. */
export async function destroy(record: ClusterRecord): Promise<void> {
  // Data that is to be kept deserves an orderly end; data that goes does not need one.
  const grace = record.ephemeral ? 0 : 15_000;
  const ended = await Promise.allSettled(Object.values(record.processes).map((id) => endProcess(id, grace)));
  const failure = ended.find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
  if (record.compose) {
    const { file, project } = record.compose;
    await run("docker", ["compose", "-f", file, "-p", project, "down", "--volumes", "--timeout", "5"]);
  }
  if (record.ephemeral) rmSync(record.dir, { recursive: true, force: true, maxRetries: 5 });
  rmSync(recordFile(record.id), { force: true });
}

/** Ends clusters whose owner has died without stopping them, and forgets those that have no process left. */
export async function sweep(): Promise<void> {
  const orphans = listRecords().filter((record) => (record.owner ? !isRunning(record.owner) : !isAlive(record)));
  await Promise.all(orphans.map(destroy));
}
