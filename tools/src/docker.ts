import { fileURLToPath } from "node:url";
import { guard } from "./guard.ts";
import { KAFKA_VERSION } from "./kafka/libs.ts";
import { askRabbitmq } from "./rabbitmq/client.ts";
import { type BrokerKind, type ClusterRecord, createRecord, destroy, saveRecord, sweep } from "./record.ts";
import type { Log } from "./system/log.ts";
import { freePorts, isFree } from "./system/ports.ts";
import { run } from "./system/process.ts";

const COMPOSE_FILE = fileURLToPath(new URL("../../docker/compose.yml", import.meta.url));

/** Starts one broker with docker; undefined, and said why, where docker does not run containers or does not start this one. */
export async function tryDocker(kind: BrokerKind, options: { outlive?: boolean }, log: Log): Promise<ClusterRecord | undefined> {
  if (!(await dockerAnswers())) return undefined;
  try {
    return await startInDocker(kind, options, log);
  } catch (error) {
    log(`${(error as Error).message}\ngoing on without docker`);
    return undefined;
  }
}

async function dockerAnswers(): Promise<boolean> {
  try {
    await run("docker", ["info"], { timeout: 10_000 });
    await run("docker", ["compose", "version"], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts one broker of the compose file, on its usual port where that is free, as a compose project of its own that ends with
 * this process unless it is to `outlive` it. Rejects with what docker printed when it is not healthy after two minutes.
 */
async function startInDocker(kind: BrokerKind, options: { outlive?: boolean }, log: Log): Promise<ClusterRecord> {
  await sweep();
  const created = createRecord({ kind, version: kind === "kafka" ? KAFKA_VERSION : "4" });
  const port = await hostPort(kind === "kafka" ? 9092 : 5672);
  const url = kind === "kafka" ? `kafka://127.0.0.1:${port}` : `amqp://guest:guest@127.0.0.1:${port}`;
  let record: ClusterRecord = { ...created, url, urls: [url], compose: { file: COMPOSE_FILE, project: `waybill-${created.id}` } };
  saveRecord(record);
  const disarm = guard(record.id);
  try {
    log(`starting ${kind} with docker compose`);
    const variables =
      kind === "kafka"
        ? { WAYBILL_KAFKA_PORT: String(port) }
        : { WAYBILL_RABBITMQ_PORT: String(port), WAYBILL_RABBITMQ_MANAGEMENT_PORT: String(await hostPort(15672)) };
    const project = ["-f", COMPOSE_FILE, "-p", `waybill-${created.id}`];
    await run("docker", ["compose", ...project, "up", "--detach", "--wait", "--wait-timeout", "120", kind], { env: variables });
    if (kind === "rabbitmq") record = { ...record, version: (await askRabbitmq(url)) ?? record.version };
    if (options.outlive) record = { ...record, owner: null };
    saveRecord(record);
    if (options.outlive) disarm();
    return record;
  } catch (error) {
    await destroy(record).finally(disarm);
    throw error;
  }
}

async function hostPort(usual: number): Promise<number> {
  if (await isFree(usual)) return usual;
  const [port = 0] = await freePorts(1);
  return port;
}
