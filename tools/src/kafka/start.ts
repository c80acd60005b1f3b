import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, type NodePlan, startCluster } from "../cluster.ts";
import { type Log, logToStderr } from "../system/log.ts";
import { accepts, freePorts } from "../system/ports.ts";
import { run } from "../system/process.ts";
import { askKafka, clientSecurity } from "./client.ts";
import { clientHost, type KafkaPorts, renderKafkaConfig } from "./config.ts";
import { KAFKA_VERSION, kafkaLibs } from "./libs.ts";
import { type KafkaOptions, mechanismsOf } from "./options.ts";

/** "WaybillWaybillWa" in base64: all nodes of a cluster must have the same, and no two clusters here ever meet. */
const CLUSTER_ID = "V2F5YmlsbFdheWJpbGxXYQ";

const JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.showDateTime=true"];

/**
 * Starts Kafka in KRaft mode on free loopback ports: one node in 6 s, three in 14 s, plus a download on first use.
 * Rejects when Java or Maven is missing, and with the end of the log when a node does not start.
 */
export async function startKafka(options: KafkaOptions = {}, log: Log = logToStderr): Promise<Cluster> {
  const libs = await kafkaLibs(log);
  const security = clientSecurity(options);
  return startCluster({ kind: "kafka", version: KAFKA_VERSION }, options, async (dir) => {
    const ports = await nodePorts(options.nodes ?? 1);
    const nodes = ports.map((port, index) => planNode(index + 1, port, ports, dir, libs, options));
    for (const node of nodes) await format(node.configFile, libs, options);
    return {
      url: `kafka://${nodes.map((node) => node.address).join(",")}`,
      nodes,
      formed: async () => {
        const views = await Promise.all(nodes.map((node) => askKafka(node.address, security)));
        return views.every((view) => view?.controller && view.brokers.length === nodes.length);
      },
    };
  });
}

interface KafkaNodePlan extends NodePlan {
  readonly configFile: string;
  readonly address: string;
}

function planNode(
  id: number,
  port: KafkaPorts,
  ports: readonly KafkaPorts[],
  dir: string,
  libs: string,
  options: KafkaOptions,
): KafkaNodePlan {
  const name = `kafka-${id}`;
  const configFile = join(dir, `${name}.properties`);
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(configFile, renderKafkaConfig(id, ports, join(dir, name), options));
  const address = `${clientHost(options)}:${port.client}`;
  const security = clientSecurity(options);
  return {
    name,
    configFile,
    address,
    port: port.client,
    url: `kafka://${address}`,
    file: "java",
    args: ["-cp", `${libs}/*`, ...JVM, "kafka.Kafka", configFile],
    logFile: join(dir, `${name}.log`),
    ready: async () => {
      if (!(await accepts(port.client))) return false;
      const view = await askKafka(address, security);
      return view?.controller === true && view.brokers.includes(id);
    },
  };
}

/** Prepares a node's data directory, with the SCRAM users in it; one that was used before is left as it is. */
async function format(configFile: string, libs: string, { sasl }: KafkaOptions): Promise<void> {
  const scram = sasl ? mechanismsOf(sasl).filter((mechanism) => mechanism !== "PLAIN") : [];
  const users = Object.entries(sasl?.users ?? {}).map(([name, password]) => `[name=${name},password=${password}]`);
  const tool = ["format", `--cluster-id=${CLUSTER_ID}`, `--config=${configFile}`, "--ignore-formatted"];
  const credentials = scram.flatMap((mechanism) => users.map((user) => `--add-scram=${mechanism}=${user}`));
  await run("java", [
    "-cp",
    `${libs}/*`,
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "kafka.tools.StorageTool",
    ...tool,
    ...credentials,
  ]);
}

async function nodePorts(nodes: number): Promise<KafkaPorts[]> {
  const ports = await freePorts(3 * nodes);
  return Array.from({ length: nodes }, (_, index) => {
    const [client = 0, broker = 0, controller = 0] = ports.slice(3 * index);
    return { client, broker, controller };
  });
}
