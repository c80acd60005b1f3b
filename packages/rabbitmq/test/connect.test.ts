import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, makeCertificates, startRabbitmq } from "../../../tools/src/index.ts";
import { brokers, envelope, Member, Recorder, topicSpec } from "./driver.ts";

describe.each(brokers)("connecting to $name", ({ url = "", skip }) => {
  test.skipIf(skip)(
    "wrong credentials and a missing virtual host reject with the reason, and are not tried for ever",
    async () => {
      for (const wrong of [{ password: "wrong" }, { vhost: "nowhere" }]) {
        await using member = new Member(url, wrong);
        const failed = { code: "WAYBILL_AUTHENTICATION_FAILED", retryable: false };
        await expect(member.connection.ready({})).rejects.toMatchObject(failed);
        const sink = new Recorder();
        await expect(member.consume(topicSpec(), sink).ready).rejects.toMatchObject(failed);
        expect(sink.failure).toMatchObject(failed);
      }
    },
  );

  test.skipIf(skip)("a host that is down is passed over", async () => {
    await using member = new Member(url, { hosts: ["127.0.0.1:1", new URL(url).host] });
    await member.connection.ready({});
    expect(member.connection.health()).toEqual({ status: "up", problems: [] });
  });
});

const skip = brokers[0]?.skip;

describe.skipIf(skip)("a broker of our own", () => {
  const dir = mkdtempSync(join(tmpdir(), "waybill-rabbitmq-"));
  let broker: Cluster;
  let ca: string;
  let otherCa: string;

  beforeAll(async () => {
    const certificates = await makeCertificates(dir);
    [ca, otherCa] = [certificates.ca, certificates.otherCa].map(({ certFile }) => readFileSync(certFile, "utf8")) as [
      string,
      string,
    ];
    broker = await startRabbitmq({
      tls: { certificates },
      users: { narrow: { password: "narrow", configure: "^(?!.*(slot-|roster)).*$" } },
    });
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(dir, { recursive: true });
  });

  test("a certificate of an unknown authority rejects at once, one of a trusted authority is taken", async () => {
    await using distrustful = new Member(broker.url, { tls: { ca: otherCa } });
    await expect(distrustful.connection.ready({})).rejects.toMatchObject({ code: "WAYBILL_CONNECTION_FAILED", retryable: false });
    await using trusting = new Member(broker.url, { tls: { ca } });
    await trusting.connection.ready({});
  });

  test("without the permission to declare slots a member consumes all the same, and health says so", async () => {
    const topic = topicSpec();
    await using member = new Member(broker.url, { tls: { ca }, username: "narrow", password: "narrow" });
    const seen = new Recorder();
    await member.consume(topic, seen).ready;
    expect(member.connection.health()).toMatchObject({
      status: "degraded",
      problems: [expect.stringContaining("not shared evenly")],
    });
    await member.publish(topic, 1, envelope("a"));
    await seen.until(() => seen.bodies.includes("a"));
  });
});

test.skipIf(skip)("a memory alarm holds back publishing alone: a member joins and leaves, and health says why", async () => {
  await using broker = await startRabbitmq({ config: { "vm_memory_high_watermark.absolute": "1MB" } });
  const topic = topicSpec({ groups: ["readers"] });
  await using member = new Member(broker.url);
  const consumer = member.consume(topic, new Recorder());
  await consumer.ready;
  const publisher = member.connection.publisher("publish");
  const outcomes = await publisher.publish({ kind: "topic", topic, partition: 0 }, [envelope("a")], {
    deadline: Date.now() + 1_000,
  });
  expect(outcomes).toMatchObject([{ stored: "unknown", retry: true, error: { code: "WAYBILL_PUBLISH_TIMEOUT" } }]);
  expect(member.connection.health()).toMatchObject({
    status: "degraded",
    problems: expect.arrayContaining([expect.stringMatching(/RabbitMQ holds back publishing/)]),
  });
  expect(await member.connection.provision(topic, "check", {})).toEqual({ partitions: 2, drift: [] });
});
