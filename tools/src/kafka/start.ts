import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, launch, type NodePlan } from "../cluster.ts";
import { createRecord, sweep } from "../record.ts";
import { type Log, logToStderr } from "../system/log.ts";
import { accepts, freePorts } from "../system/ports.ts";
import { run } from "../system/process.ts";
import { askKafka, clientSecurity } from "./client.ts";
import { clientHost, type KafkaPorts, renderKafkaConfig } from "./config.ts";
import { KAFKA_VERSION, kafkaLibs } from "./libs.ts";
import { type KafkaOptions, mechanismsOf } from "./options.ts";

const JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.showDateTime=true"];

/**
 * Starts Kafka in KRaft mode on free loopback ports: one node in 6 s, three in 14 s, plus a download on first use.
 * Rejects when Java or Maven is missing, and with the end of the log when a node does not start.
 */
export async function startKafka(options: KafkaOptions = {}, log: Log = logToStderr): Promise<Cluster> {
  await sweep();
  const libs = await kafkaLibs(log);
  const count = options.nodes ?? 1;
  const ports = await nodePorts(count);
  const record = createRecord({ kind: "kafka", version: KAFKA_VERSION, dir: options.dir });
  const plans = ports.map((port, index) => planNode(index + 1, port, ports, record.dir, libs, options));
  await format(
    plans.map((plan) => plan.configFile),
    libs,
    options,
  );
  const security = clientSecurity(options);
  return launch(
    record,
    {
      url: `kafka://${plans.map((plan) => plan.address).join(",")}`,
      nodes: plans,
      formed: async () => {
        const views = await Promise.all(plans.map((plan) => askKafka(plan.address, security)));
        return views.every((view) => view?.controller && view.brokers.length === count);
      },
    },
    options,
  );
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

/** Prepares the data directories, with the SCRAM users in them; directories that were used before are left as they are. */
async function format(configFiles: readonly string[], libs: string, { sasl }: KafkaOptions): Promise<void> {
  const clusterId = randomBytes(16).toString("base64url");
  const scram = sasl ? mechanismsOf(sasl).filter((mechanism) => mechanism !== "PLAIN") : [];
  const users = scram.flatMap((mechanism) =>
    Object.entries(sasl?.users ?? {}).flatMap(([name, password]) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  for (const file of configFiles) {
    const tool = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file, "--ignore-formatted", ...users];
    await run("java", ["-cp", `${libs}/*`, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", ...tool]);
  }
}

async function nodePorts(nodes: number): Promise<KafkaPorts[]> {
  const ports = await freePorts(3 * nodes);
  return Array.from({ length: nodes }, (_, index) => {
    const [client = 0, broker = 0, controller = 0] = ports.slice(3 * index);
    return { client, broker, controller };
  });
}
