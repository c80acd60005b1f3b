import { tryDocker } from "./docker.ts";
import { BrokerUnavailableError } from "./errors.ts";
import { askKafka } from "./kafka/client.ts";
import { startKafka } from "./kafka/start.ts";
import { askRabbitmq } from "./rabbitmq/client.ts";
import { installedRabbitmq, isRabbitmq4 } from "./rabbitmq/server.ts";
import { startRabbitmq } from "./rabbitmq/start.ts";
import { type BrokerKind, destroy, listRecords } from "./record.ts";
import { type Log, logToStderr } from "./system/log.ts";

/** What a test can ask for; `rabbitmq4` is a 4.x beside the RabbitMQ that the machine happens to have. */
export type TestBroker = "kafka" | "rabbitmq" | "rabbitmq4";

/** A broker that answers. */
export interface FoundBroker {
  readonly url: string;
  /** Undefined for a Kafka that was not started here: its protocol does not tell. */
  readonly version: string | undefined;
  /** Where it comes from, in words for people. */
  readonly source: string;
  /** Ends it if it was started by this call. */
  stop(): Promise<void>;
}

/** Why there is none, and how to get one. */
export interface MissingBroker {
  readonly reason: string;
}

interface BrokerSource {
  readonly kind: BrokerKind;
  /** The environment variable that names one. */
  readonly variable: string;
  readonly usualUrl: string;
  readonly suits: (version: string | undefined) => boolean;
  readonly start: (log: Log) => Promise<{ url: string; version: string; stop(): Promise<void> }>;
}

const any = (): boolean => true;

const SOURCES: Readonly<Record<TestBroker, BrokerSource>> = {
  kafka: {
    kind: "kafka",
    variable: "WAYBILL_TEST_KAFKA",
    usualUrl: "kafka://127.0.0.1:9092",
    suits: any,
    start: (log) => startKafka({}, log),
  },
  rabbitmq: {
    kind: "rabbitmq",
    variable: "WAYBILL_TEST_AMQP",
    usualUrl: "amqp://guest:guest@127.0.0.1:5672",
    suits: any,
    start: (log) => startRabbitmq({ version: installedRabbitmq() ? "installed" : "4" }, log),
  },
  rabbitmq4: {
    kind: "rabbitmq",
    variable: "WAYBILL_TEST_AMQP4",
    usualUrl: "amqp://guest:guest@127.0.0.1:5672",
    suits: isRabbitmq4,
    start: (log) => startRabbitmq({ version: "4" }, log),
  },
};

/**
 * The one way by which tests get a broker. In this order: the URL in the environment, the usual port, one that
 * `npm run brokers` keeps running, docker, and a start of our own. The second and the third must answer a handshake.
 *
 * Rejects when a broker can be had but does not start: that is a failure, not a reason to skip.
 */
export async function findBroker(broker: TestBroker, log: Log = logToStderr): Promise<FoundBroker | MissingBroker> {
  const source = SOURCES[broker];
  const named = process.env[source.variable];
  if (named) {
    const version = source.kind === "rabbitmq" ? await askRabbitmq(named) : undefined;
    return { url: named, version, source: source.variable, stop: async () => undefined };
  }
  return (await findRunning(source)) ?? (await startOne(broker, source, log));
}

async function findRunning(source: BrokerSource): Promise<FoundBroker | undefined> {
  const kept = listRecords().filter((record) => record.kind === source.kind && record.owner === null);
  const candidates = [
    { url: source.usualUrl, source: "the usual port" },
    ...kept.map(({ urls, url }) => ({ url: urls[0] ?? url, source: "npm run brokers" })),
  ];
  for (const candidate of candidates) {
    const answer = await ask(source.kind, candidate.url);
    if (answer && source.suits(answer.version)) return { ...candidate, version: answer.version, stop: async () => undefined };
  }
  return undefined;
}

async function startOne(broker: TestBroker, source: BrokerSource, log: Log): Promise<FoundBroker | MissingBroker> {
  const contained = await tryDocker(source.kind, {}, log);
  if (contained) return { ...contained, source: "docker", stop: () => destroy(contained) };
  try {
    const cluster = await source.start(log);
    return { url: cluster.url, version: cluster.version, source: "started for this run", stop: () => cluster.stop() };
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    return { reason: `no ${broker}: ${error.message}. Or start docker, or name a running broker in ${source.variable}` };
  }
}

/** What the broker at that URL, of one node, says of itself; undefined when it does not answer. */
export async function ask(kind: BrokerKind, url: string): Promise<{ version: string | undefined } | undefined> {
  if (kind === "rabbitmq") {
    const version = await askRabbitmq(url);
    return version === undefined ? undefined : { version };
  }
  const view = await askKafka(new URL(url).host);
  return view?.controller ? { version: undefined } : undefined;
}
