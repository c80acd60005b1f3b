import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, test } from "vitest";
import type { Compression } from "../src/index.ts";
import { connect, consumeSpec, envelope, publish, RecordingSink, topicSpec } from "./driver.ts";
import { openGate } from "./gate.ts";

const { url = "", skip } = inject("kafka");
const soon = () => ({ deadline: Date.now() + 20_000 });

describe.skipIf(skip !== undefined)(`publishing${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("answers with the position of each message", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    const first = await publish(connection, topic, ["1", "2"], 1);
    const second = await publish(connection, topic, ["3"], 1);
    expect([...first, ...second].map((outcome) => outcome.stored === true && outcome.position)).toEqual(["0", "1", "2"]);
  });

  test("never takes a message as stored that went to no partition: kafkajs resolves for one that does not exist", async () => {
    const connection = connect({ url });
    const topic = topicSpec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const to = { kind: "topic", topic, partition: 5 } as const;
    const [outcome] = await publisher.publish(to, [envelope("x")], soon());
    expect(outcome).toMatchObject({ stored: false, retry: false, error: { code: "WAYBILL_TOPIC_NOT_FOUND" } });
  });

  test("a message that is too large fails alone, with its size and the limit", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const batch = [envelope("1"), envelope("x".repeat(1_100_000)), envelope("2"), envelope("y".repeat(900_000)), envelope("3")];
    const outcomes = await publisher.publish({ kind: "topic", topic, partition: 0 }, batch, soon());
    expect(outcomes.map(({ stored }) => stored)).toEqual([true, false, true, true, true]);
    expect(outcomes[1]).toMatchObject({ retry: false, error: { code: "WAYBILL_MESSAGE_TOO_LARGE" } });
    expect(outcomes[1]?.stored !== true && outcomes[1]?.error.message).toMatch(/11000\d\d|1100\d\d\d.*1048576/);
  });

  test("a message that only the broker finds too large fails alone, and order is kept", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    await alter(topic.name, "max.message.bytes", "20000");
    const publisher = connection.publisher("publish");
    const bodies = ["1", "2", "x".repeat(30_000), "3", "4"];
    await expect
      .poll(async () => {
        const batch = bodies.map((body) => envelope(body));
        const outcomes = await publisher.publish({ kind: "topic", topic, partition: 0 }, batch, soon());
        return outcomes.map((outcome) => (outcome.stored === true ? "stored" : outcome.error.message.replace(/.*; /, "")));
      })
      .toEqual(["stored", "stored", expect.stringMatching(/^20000 are the most/), "stored", "stored"]);
    const sink = new RecordingSink();
    connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.bodies.at(-1) === "4");
    expect(sink.bodies.slice(-4)).toEqual(["1", "2", "3", "4"]);
  });

  test("a thousand messages of a kilobyte go in several requests, in order", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    const bodies = Array.from({ length: 1_500 }, (_, i) => `${i}:${"x".repeat(1_000)}`);
    await publish(connection, topic, bodies);
    const sink = new RecordingSink();
    connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.received.length === bodies.length);
    expect(sink.bodies).toEqual(bodies);
  });

  test.each<Compression>(["none", "gzip", "snappy", "lz4", "zstd"])(
    "what is compressed with %s is read by everyone",
    async (compression) => {
      const topic = topicSpec();
      const writer = connect({ url, compression });
      await writer.provision(topic, "create", {});
      const bodies = Array.from({ length: 200 }, (_, i) => `${i} ${"compressible ".repeat(20)}`);
      // Too large for the topic, if it is not compressed.
      if (compression !== "none") bodies.push("x".repeat(1_200_000));
      await publish(writer, topic, bodies);
      const sink = new RecordingSink();
      connect({ url }).consume(consumeSpec(topic), sink);
      await sink.until(() => sink.received.length === bodies.length);
      expect(sink.bodies).toEqual(bodies);
    },
  );

  test("a topic that does not exist is refused, and no broker creates it", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    const publisher = connection.publisher("publish");
    const [outcome] = await publisher.publish({ kind: "topic", topic, partition: 0 }, [envelope("x")], soon());
    expect(outcome).toMatchObject({ stored: false, error: { code: "WAYBILL_TOPIC_NOT_FOUND" } });
    expect((await connection.admin.topics()).map(({ name }) => name)).not.toContain(topic.name);
  });

  test("a topic that was deleted does not spoil publishing to others", async () => {
    const connection = connect({ url });
    const [gone, stays] = [topicSpec(), topicSpec()];
    for (const topic of [gone, stays]) await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const to = (topic: typeof gone) => ({ kind: "topic", topic, partition: 0 }) as const;
    await publisher.publish(to(gone), [envelope("1")], soon());
    await connection.admin.deleteTopic(gone.name);
    const [refused] = await publisher.publish(to(gone), [envelope("2")], soon());
    expect(refused?.stored).toBe(false);
    const [outcome] = await publisher.publish(to(stays), [envelope("3")], soon());
    expect(outcome?.stored).toBe(true);
  });

  test("a send that gets no answer is unknown at its deadline, and what follows is stored by another producer", async () => {
    const gate = await openGate(url);
    const topic = topicSpec();
    const connection = connect({ url: gate.url });
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const to = { kind: "topic", topic, partition: 0 } as const;
    expect((await publisher.publish(to, [envelope("1")], soon()))[0]?.stored).toBe(true);
    gate.holdAnswers();
    const deadline = Date.now() + 1_000;
    const outcomes = await publisher.publish(to, [envelope("2"), envelope("3")], { deadline });
    expect(Date.now() - deadline).toBeLessThan(5_000);
    expect(outcomes.map(({ stored }) => stored)).toEqual(["unknown", "unknown"]);
    expect(outcomes.every((outcome) => outcome.stored !== true && outcome.retry)).toBe(true);
    // Their answer is lost, and so is every attempt to send again.
    gate.refuse();
    await publisher.publish(to, [envelope("never")], { deadline: Date.now() + 2_500 });
    gate.release();
    // Had the same producer gone on, it would give these the numbers of those before, and the broker would drop them as repeated.
    const later = await publisher.publish(to, [envelope("4"), envelope("5")], soon());
    expect(later.map(({ stored }) => stored)).toEqual([true, true]);
    const sink = new RecordingSink();
    connect({ url }).consume(consumeSpec(topic), sink);
    await sink.until(() => sink.bodies.includes("5"));
    expect(sink.bodies.filter((body) => body === "4" || body === "5")).toEqual(["4", "5"]);
  });

  test("a connection that is cut costs neither a message nor a duplicate", async () => {
    const gate = await openGate(url);
    const topic = topicSpec();
    const connection = connect({ url: gate.url });
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const to = { kind: "topic", topic, partition: 0 } as const;
    const bodies = Array.from({ length: 60 }, (_, i) => String(i));
    for (const [i, body] of bodies.entries()) {
      if (i % 10 === 5) gate.holdAnswers();
      const sending = publisher.publish(to, [envelope(body)], soon());
      if (i % 10 === 5) {
        // The broker has it by then, and its answer is lost.
        await gate.heard();
        gate.cut();
        gate.release();
      }
      expect((await sending)[0]?.stored).toBe(true);
    }
    const sink = new RecordingSink();
    connect({ url }).consume(consumeSpec(topic), sink);
    await sink.until(() => sink.bodies.at(-1) === "59");
    expect(sink.bodies).toEqual(bodies);
  });

  test("waits for a broker that is away, and not past the deadline", async () => {
    const gate = await openGate(url);
    const topic = topicSpec();
    await connect({ url }).provision(topic, "create", {});
    gate.refuse();
    const publisher = connect({ url: gate.url }).publisher("publish");
    const to = { kind: "topic", topic, partition: 0 } as const;
    const [early] = await publisher.publish(to, [envelope("1")], { deadline: Date.now() + 500 });
    expect(early).toMatchObject({ stored: false, retry: true, error: { code: "WAYBILL_CONNECTION_FAILED" } });
    const sending = publisher.publish(to, [envelope("1")], soon());
    await sleep(500);
    gate.release();
    expect((await sending)[0]?.stored).toBe(true);
  });

  test("publishing after close is refused", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    const publisher = connection.publisher("publish");
    await publisher.close();
    const [outcome] = await publisher.publish({ kind: "topic", topic, partition: 0 }, [envelope("x")], soon());
    expect(outcome?.stored).toBe(false);
  });

  test("replays and dead letters have their own topics", async () => {
    const connection = connect({ url });
    const topic = topicSpec({ groups: ["g"] });
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("copy");
    const replay = await publisher.publish({ kind: "group", topic, partition: 1, group: "g" }, [envelope("again")], soon());
    expect(replay[0]).toMatchObject({ stored: true, position: "retry:0" });
    const letters = ["1", "2"].map((id) =>
      envelope("x".repeat(1_030_000), { key: Buffer.from("k"), headers: [["waybill-dead-letter-id", id]] }),
    );
    const dead = await publisher.publish({ kind: "dead", topic, partition: 0, group: "g" }, letters, soon());
    expect(dead.map(({ stored }) => stored)).toEqual([true, true]);
    const sink = new RecordingSink();
    connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.received.length === 1);
    expect(sink.received[0]).toMatchObject({ body: "again", source: { id: `${topic.name}.g.retry/1`, partition: 1 } });
  });
});

async function alter(topic: string, name: string, value: string): Promise<void> {
  const admin = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries: [{ name, value }] }] });
  await admin.disconnect();
}
