import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCertificates, startKafka } from "../src/index.ts";
import { askKafka } from "../src/kafka/client.ts";
import { accepts } from "../src/system/ports.ts";
import { startOrSkip } from "./live.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "waybill-tools-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a Kafka that is killed and started again still has its topics, and stops", async ({ skip }) => {
  await using cluster = await startOrSkip(skip, () => startKafka());
  const [node] = cluster.nodes;
  if (!node) throw new Error("no node");
  const admin = new Kafka({ brokers: [`127.0.0.1:${node.port}`], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "kept", numPartitions: 3 }] });

  await node.kill();
  expect(await accepts(node.port)).toBe(false);
  await node.start();
  const { topics } = await admin.fetchTopicMetadata({ topics: ["kept"] });
  expect(topics[0]?.partitions).toHaveLength(3);
  await admin.disconnect();

  await cluster.stop();
  expect(await accepts(node.port)).toBe(false);
});

test("a Kafka with SASL and TLS lets in who has a password and trusts its authority, and nobody else", async ({ skip }) => {
  const certificates = await makeCertificates(dir);
  await using cluster = await startOrSkip(skip, () =>
    startKafka({ sasl: { users: { alice: "secret" } }, tls: { certificates } }),
  );
  const address = `localhost:${cluster.nodes[0]?.port}`;
  const ssl = { ca: readFileSync(certificates.ca.certFile) };
  const alice = { username: "alice", password: "secret" };

  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
    expect(await askKafka(address, { ssl, sasl: { mechanism: mechanism as "plain", ...alice } })).toBeDefined();
    expect(
      await askKafka(address, { ssl, sasl: { mechanism: mechanism as "plain", ...alice, password: "wrong" } }),
    ).toBeUndefined();
  }
  expect(await askKafka(address, { ssl })).toBeUndefined();
  const other = { ca: readFileSync(certificates.otherCa.certFile) };
  expect(await askKafka(address, { ssl: other, sasl: { mechanism: "plain", ...alice } })).toBeUndefined();
});
