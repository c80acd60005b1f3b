import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Certificates, type Cluster, makeCertificates, startKafka } from "../../../tools/src/index.ts";
import type { KafkaOptions } from "../src/index.ts";
import { connect, consumeSpec, publish, RecordingSink, topicSpec } from "./driver.ts";

const { skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`a broker that asks who one is${skip === undefined ? "" : ` (${skip})`}`, () => {
  let dir: string;
  let certificates: Certificates;
  let cluster: Cluster;
  let url: string;
  const pem = (file: string) => readFileSync(file, "utf8");

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "waybill-"));
    certificates = await makeCertificates(dir);
    cluster = await startKafka({
      sasl: { users: { alice: "wonderland", bob: "builder" } },
      tls: { certificates },
      config: {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        // The brokers among themselves, and alice. Bob may do nothing.
        "super.users": "User:ANONYMOUS;User:alice",
      },
    });
    url = cluster.url.replace("kafka:", "kafkas:");
  });

  afterAll(async () => {
    await cluster?.stop();
    if (dir) rmSync(dir, { recursive: true });
  });

  const trusting = (options: KafkaOptions = {}): KafkaOptions => ({
    url,
    tls: { ca: pem(certificates.ca.certFile) },
    ...options,
  });
  const alice = (mechanism: "plain" | "scram-sha-256" | "scram-sha-512") => ({
    mechanism,
    username: "alice",
    password: "wonderland",
  });

  test.each(["plain", "scram-sha-256", "scram-sha-512"] as const)("is used with %s over TLS", async (mechanism) => {
    const connection = connect(trusting({ sasl: alice(mechanism) }));
    const topic = topicSpec();
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic), sink).ready;
    await publish(connection, topic, ["1"]);
    await sink.until(() => sink.received.length === 1);
  });

  const refusals: [string, () => KafkaOptions, string, RegExp][] = [
    [
      "a wrong password",
      () => trusting({ sasl: { ...alice("plain"), password: "looking-glass" } }),
      "AUTHENTICATION_FAILED",
      /Invalid username or password/i,
    ],
    [
      "a wrong SCRAM password",
      () => trusting({ sasl: { ...alice("scram-sha-512"), password: "looking-glass" } }),
      "AUTHENTICATION_FAILED",
      /SCRAM/,
    ],
    ["no credentials at all", () => trusting(), "AUTHENTICATION_FAILED", /may ask for SASL/],
    ["an authority that is not trusted", () => ({ url, sasl: alice("plain") }), "CONNECTION_FAILED", /certificate/],
    [
      "another authority",
      () => ({ url, sasl: alice("plain"), tls: { ca: pem(certificates.otherCa.certFile) } }),
      "CONNECTION_FAILED",
      /certificate/,
    ],
  ];

  test.each(refusals)("refuses %s at once, with its reason and without the password", async (_, options, code, reason) => {
    const connection = connect(options());
    const topic = topicSpec();
    const sink = new RecordingSink();
    const failures = [
      connection.ready({}),
      connection.provision(topic, "create", {}),
      connection.consume(consumeSpec(topic), sink).ready,
    ].map((promise) =>
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    for (const failure of await Promise.all(failures)) {
      expect(failure).toMatchObject({ code: `WAYBILL_${code}`, retryable: false, message: expect.stringMatching(reason) });
      expect(String(failure)).not.toContain("looking-glass");
    }
    expect(sink.failure).toMatchObject({ code: `WAYBILL_${code}` });
  });

  test("a publish with wrong credentials is refused, not retried until its deadline", async () => {
    const connection = connect(trusting({ sasl: { ...alice("plain"), password: "looking-glass" } }));
    const failure = publish(connection, topicSpec(), ["1"]);
    await expect(failure).rejects.toMatchObject({ code: "WAYBILL_AUTHENTICATION_FAILED", retryable: false });
  });

  test("says to who may not publish, make topics or join that this is why, instead of trying for ever", async () => {
    const topic = topicSpec({ groups: ["g"] });
    await connect(trusting({ sasl: alice("plain") })).provision(topic, "create", {});
    const bob = connect(trusting({ sasl: { mechanism: "plain", username: "bob", password: "builder" } }));
    await bob.ready({});
    const refused = { code: "WAYBILL_NOT_AUTHORIZED", retryable: false };
    await expect(publish(bob, topic, ["1"])).rejects.toMatchObject(refused);
    await expect(bob.provision(topicSpec(), "create", {})).rejects.toMatchObject(refused);
    await expect(bob.consume(consumeSpec(topic), new RecordingSink()).ready).rejects.toMatchObject(refused);
  });

  test("says to who may read a topic, but not join its group, that this is why", async () => {
    const topic = topicSpec({ groups: ["g"] });
    await connect(trusting({ sasl: alice("plain") })).provision(topic, "create", {});
    const ssl = { ca: pem(certificates.ca.certFile) };
    const admin = new Kafka({
      brokers: [new URL(url).host],
      ssl,
      sasl: { ...alice("plain"), mechanism: "plain" },
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    const permissionType = AclPermissionTypes.ALLOW;
    const resource = { resourceType: AclResourceTypes.TOPIC, resourcePatternType: ResourcePatternTypes.PREFIXED };
    const acl = { ...resource, resourceName: topic.name, principal: "User:bob", host: "*", permissionType };
    await admin.createAcls({ acl: [{ ...acl, operation: AclOperationTypes.READ }] });
    await admin.disconnect();
    const bob = connect(trusting({ sasl: { mechanism: "plain", username: "bob", password: "builder" } }));
    const { ready } = bob.consume(consumeSpec(topic, { provision: "off" }), new RecordingSink());
    await expect(ready).rejects.toMatchObject({ code: "WAYBILL_NOT_AUTHORIZED", group: "g", retryable: false });
  });

  test("a port that speaks no TLS is waited for, and health says what is wrong", async () => {
    const plain = inject("kafka").url ?? "";
    const connection = connect({ url: plain.replace("kafka:", "kafkas:") });
    await expect(connection.ready({ signal: AbortSignal.timeout(1_500) })).rejects.toThrow();
    expect(connection.health()).toMatchObject({ status: "down", problems: [expect.stringMatching(/TLS/)] });
  });
});
