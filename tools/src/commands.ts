import { join, resolve } from "node:path";
import type { Cluster } from "./cluster.ts";
import { tryDocker } from "./docker.ts";
import { BrokerUnavailableError } from "./errors.ts";
import { ask } from "./find.ts";
import { startKafka } from "./kafka/start.ts";
import { installedRabbitmq, isRabbitmq4, type RabbitmqChoice, rabbitmqServer } from "./rabbitmq/server.ts";
import { startRabbitmq } from "./rabbitmq/start.ts";
import { type BrokerKind, type ClusterRecord, destroy, isAlive, listRecords, sweep } from "./record.ts";
import { withLock } from "./system/lock.ts";
import { type Log, logToStderr } from "./system/log.ts";
import { brokersDir } from "./system/paths.ts";

/** What `npm run brokers` takes. */
export interface StartOptions {
  readonly nodes: 1 | 3;
  readonly rabbitmq: RabbitmqChoice;
  readonly dir?: string;
  readonly json: boolean;
}

/** What is said of one running broker. */
interface Running {
  readonly kind: BrokerKind;
  readonly version: string;
  readonly nodes: number;
  readonly url: string;
}

/** Starts the brokers that do not run yet, side by side, and prints the variables by which tests find them. */
export async function startBrokers(kinds: readonly BrokerKind[], options: StartOptions, log: Log = logToStderr): Promise<void> {
  const running = await withLock(join(brokersDir(), "start.lock"), log, async () => {
    await sweep();
    const started = await Promise.allSettled(kinds.map((kind) => startOne(kind, options, log)));
    for (const outcome of started) if (outcome.status === "rejected") log((outcome.reason as Error).message);
    if (started.some((outcome) => outcome.status === "rejected")) process.exitCode = 1;
    return started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  });
  print(options.json, running, (broker) => `${variable(broker)}=${broker.url}`);
}

/** Ends the brokers that `startBrokers` started. */
export async function stopBrokers(kinds: readonly BrokerKind[], { json }: { json: boolean }): Promise<void> {
  const records = keptRecords().filter((record) => kinds.includes(record.kind));
  await Promise.all(records.map(destroy));
  print(json, records.map(describe), (broker) => `stopped ${broker.kind} ${broker.version}`);
}

/** Prints what runs. */
export async function statusOfBrokers({ json }: { json: boolean }): Promise<void> {
  const records = listRecords().filter(isAlive);
  print(
    json,
    records.map((record) => ({ ...describe(record), owner: record.owner?.pid ?? null })),
    (broker) => {
      const owner = broker.owner === null ? "until stopped" : `for process ${broker.owner}`;
      return `${broker.kind} ${broker.version}, ${broker.nodes} node(s), ${owner}: ${broker.url || "starting"}`;
    },
  );
}

async function startOne(kind: BrokerKind, options: StartOptions, log: Log): Promise<Running> {
  const { nodes, dir, rabbitmq } = options;
  const running = await kept(kind, nodes, rabbitmq);
  if (running) return running;
  const common = { nodes, outlive: true, ...(dir && { dir: resolve(dir, kind) }) };
  // The compose file has one node of each, and no directory here.
  const contained = nodes === 1 && !dir ? await tryDocker(kind, common, log) : undefined;
  if (contained) return describe(contained);
  if (kind === "kafka") return describe(await startKafka(common, log));
  const version = await rabbitmqChoice(rabbitmq, log);
  return (await kept(kind, nodes, version)) ?? describe(await startRabbitmq({ ...common, version }, log));
}

/** The choice that can be had: where no 4 can be built, the installed one does. */
async function rabbitmqChoice(choice: RabbitmqChoice, log: Log): Promise<RabbitmqChoice> {
  if (choice === "installed") return choice;
  try {
    await rabbitmqServer(choice, log);
    return choice;
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    log(`${(error as Error).message}\ngoing on with the installed RabbitMQ`);
    return "installed";
  }
}

/** A broker that runs already, answers, and is what was asked for; docker's is, whatever its version. */
async function kept(kind: BrokerKind, nodes: number, choice: RabbitmqChoice): Promise<Running | undefined> {
  const installed = installedRabbitmq();
  for (const record of keptRecords()) {
    const version = choice === "4" ? isRabbitmq4(record.version) : record.version === installed;
    const suits = record.kind === kind && record.urls.length === nodes && (kind === "kafka" || record.compose || version);
    if (suits && (await ask(kind, record.urls[0] ?? record.url))) return describe(record);
  }
  return undefined;
}

/** The records of brokers that no process owns. */
function keptRecords(): ClusterRecord[] {
  return listRecords().filter((record) => record.owner === null && isAlive(record));
}

function describe(broker: ClusterRecord | Cluster): Running {
  return { kind: broker.kind, version: broker.version, nodes: broker.urls.length, url: broker.url };
}

function variable({ kind }: Running): string {
  return kind === "kafka" ? "WAYBILL_TEST_KAFKA" : "WAYBILL_TEST_AMQP";
}

function print<T>(json: boolean, items: readonly T[], line: (item: T) => string): void {
  process.stdout.write(json ? `${JSON.stringify(items, null, 2)}\n` : items.map((item) => `${line(item)}\n`).join(""));
}
