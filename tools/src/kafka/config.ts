import { type KafkaOptions, mechanismsOf } from "./options.ts";

/** The three ports of a node. */
export interface KafkaPorts {
  /** Clients. */
  readonly client: number;
  /** Other brokers: apart from clients, so that these can be asked for credentials. */
  readonly broker: number;
  /** The KRaft quorum. */
  readonly controller: number;
}

/** The server.properties of node `id`, counted from 1, of a cluster with these ports. */
export function renderKafkaConfig(id: number, ports: readonly KafkaPorts[], dataDir: string, options: KafkaOptions = {}): string {
  const own = ports[id - 1];
  if (!own) throw new RangeError(`node ${id} of ${ports.length}`);
  const replicas = ports.length;
  const quorum = replicas < 3 ? 1 : 2;
  const host = clientHost(options);
  const settings = {
    "process.roles": "broker,controller",
    "node.id": id,
    "controller.quorum.voters": ports.map((port, index) => `${index + 1}@127.0.0.1:${port.controller}`).join(","),
    listeners: `CLIENT://127.0.0.1:${own.client},BROKER://127.0.0.1:${own.broker},CONTROLLER://127.0.0.1:${own.controller}`,
    "advertised.listeners": `CLIENT://${host}:${own.client},BROKER://127.0.0.1:${own.broker}`,
    "listener.security.protocol.map": `CLIENT:${clientProtocol(options)},BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": dataDir,
    "default.replication.factor": replicas,
    "min.insync.replicas": quorum,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": quorum,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": false,
    // A dead broker is fenced after 3 s instead of 9: a fault test is over sooner, and shows the same.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
    ...saslSettings(options),
    ...tlsSettings(options),
    ...options.config,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** The listener's security protocol, in Kafka's word. */
function clientProtocol(options: KafkaOptions): "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL" {
  if (options.sasl) return options.tls ? "SASL_SSL" : "SASL_PLAINTEXT";
  return options.tls ? "SSL" : "PLAINTEXT";
}

/** The name by which clients reach a node: certificates are usually checked against one. */
export function clientHost(options: KafkaOptions): string {
  return options.tls ? "localhost" : "127.0.0.1";
}

function saslSettings({ sasl }: KafkaOptions): Record<string, string> {
  if (!sasl) return {};
  const prefix = "listener.name.client";
  const security = "org.apache.kafka.common.security";
  const users = Object.entries(sasl.users).map(([name, password]) => `user_${name}="${password}"`);
  const settings: Record<string, string> = { "sasl.enabled.mechanisms": mechanismsOf(sasl).join(",") };
  // A mechanism without its JAAS entry stops the broker.
  for (const mechanism of mechanismsOf(sasl)) {
    settings[`${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`] =
      mechanism === "PLAIN"
        ? `${security}.plain.PlainLoginModule required ${users.join(" ")};`
        : `${security}.scram.ScramLoginModule required;`;
  }
  return settings;
}

function tlsSettings({ tls }: KafkaOptions): Record<string, string> {
  if (!tls) return {};
  const prefix = "listener.name.client.ssl";
  return {
    [`${prefix}.keystore.type`]: "PEM",
    [`${prefix}.keystore.location`]: tls.certificates.server.pemFile,
    [`${prefix}.truststore.type`]: "PEM",
    [`${prefix}.truststore.location`]: tls.certificates.ca.certFile,
    [`${prefix}.client.auth`]: tls.clientAuth ? "required" : "none",
  };
}
