import { expect, test } from "vitest";
import { renderKafkaConfig } from "../src/kafka/config.ts";

const ports = [1, 2, 3].map((node) => ({ client: 20_000 + node, broker: 21_000 + node, controller: 22_000 + node }));
const certificate = (name: string) => ({ certFile: `/c/${name}.crt`, keyFile: `/c/${name}.key`, pemFile: `/c/${name}.pem` });
const certificates = {
  ca: certificate("ca"),
  server: certificate("server"),
  client: certificate("client"),
  otherCa: certificate("other-ca"),
};

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}

test("one node replicates nothing and lets anyone in", () => {
  const config = lines(renderKafkaConfig(1, ports.slice(0, 1), "/data"));
  expect(config).toContain("controller.quorum.voters=1@127.0.0.1:22001");
  expect(config).toContain("listener.security.protocol.map=CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
  expect(config).toContain("default.replication.factor=1");
  expect(config).toContain("min.insync.replicas=1");
  expect(config).toContain("auto.create.topics.enable=false");
});

test("three nodes know each other's controllers and need two replicas in sync", () => {
  const config = lines(renderKafkaConfig(2, ports, "/data"));
  expect(config).toContain("node.id=2");
  expect(config).toContain("controller.quorum.voters=1@127.0.0.1:22001,2@127.0.0.1:22002,3@127.0.0.1:22003");
  expect(config).toContain("listeners=CLIENT://127.0.0.1:20002,BROKER://127.0.0.1:21002,CONTROLLER://127.0.0.1:22002");
  expect(config).toContain("min.insync.replicas=2");
});

test("every SASL mechanism has its JAAS entry, and only clients are asked", () => {
  const config = lines(renderKafkaConfig(1, ports.slice(0, 1), "/data", { sasl: { users: { alice: "a", bob: "b" } } }));
  expect(config).toContain("listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
  expect(config).toContain("sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512");
  expect(config.filter((line) => line.includes("sasl.jaas.config="))).toEqual([
    'listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="a" user_bob="b";',
    "listener.name.client.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
  ]);
});

test("encryption is for clients, who reach the node by the name in its certificate", () => {
  const config = lines(renderKafkaConfig(1, ports.slice(0, 1), "/data", { tls: { certificates, clientAuth: true } }));
  expect(config).toContain("advertised.listeners=CLIENT://localhost:20001,BROKER://127.0.0.1:21001");
  expect(config).toContain("listener.name.client.ssl.keystore.location=/c/server.pem");
  expect(config).toContain("listener.name.client.ssl.truststore.location=/c/ca.crt");
  expect(config).toContain("listener.name.client.ssl.client.auth=required");
});

test("a setting of the caller takes the place of ours", () => {
  const config = lines(
    renderKafkaConfig(1, ports, "/data", { config: { "min.insync.replicas": "3", "message.max.bytes": "5" } }),
  );
  expect(config.filter((line) => line.startsWith("min.insync.replicas="))).toEqual(["min.insync.replicas=3"]);
  expect(config).toContain("message.max.bytes=5");
});
