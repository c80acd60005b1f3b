import { Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, test } from "vitest";
import { connect, consumeSpec, envelope, publish, RecordingSink, topicSpec } from "./driver.ts";
import { openGate } from "./gate.ts";

const { url = "", skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`consuming${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("a group reads what was published before and after it joined, in order", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1", "2"]);
    const sink = new RecordingSink();
    const consumer = connection.consume(consumeSpec(topic), sink);
    await consumer.ready;
    await publish(connection, topic, ["3"]);
    await sink.until(() => sink.received.length === 3);
    expect(sink.bodies).toEqual(["1", "2", "3"]);
  });

  test("a group continues where it was", async () => {
    const connection = connect({ url });
    const topic = topicSpec();
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1", "2"]);
    const first = new RecordingSink({ settle: false });
    const consumer = connection.consume(consumeSpec(topic), first);
    await first.until(() => first.received.length === 2);
    expect(await first.received[0]?.source.settle({ upTo: 0, singles: [] })).toBe("ok");
    await consumer.close({ deadline: Date.now() + 5_000 });
    expect(await first.received[0]?.source.settle({ upTo: 1, singles: [] })).toBe("fenced");

    const second = new RecordingSink();
    connection.consume(consumeSpec(topic), second);
    await second.until(() => second.received.length === 1);
    expect(second.bodies).toEqual(["2"]);
    expect(second.committed.get(`${topic.name}/0`)).toBe("1");
  });

  test("a group that begins at the latest misses nothing that is published once it is ready, whatever happens to its members", async () => {
    const topic = topicSpec();
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["old"]);
    const first = connection.consume(consumeSpec(topic, { from: "latest" }), new RecordingSink({ settle: false }));
    await first.ready;
    await first.close({ deadline: Date.now() + 5_000 });
    // Nobody has settled anything; the position stands all the same.
    await publish(connection, topic, ["new"]);
    const sink = new RecordingSink();
    const second = connection.consume(consumeSpec(topic, { from: "latest" }), sink);
    await second.ready;
    await sink.until(() => sink.received.length > 0);
    expect(sink.bodies).toEqual(["new"]);
  });

  test("a group that begins at a time reads what is not older", async () => {
    const topic = topicSpec();
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    const publisher = connection.publisher("publish");
    const batch = [1_000, 2_000, 3_000].map((ms) => envelope(String(ms), { timestamp: Date.now() - 10_000 + ms }));
    const from = new Date(batch[1]?.timestamp ?? 0);
    await publisher.publish({ kind: "topic", topic, partition: 0 }, batch, { deadline: Date.now() + 20_000 });
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic, { from }), sink).ready;
    await publish(connection, topic, ["other partition"], 1);
    await sink.until(() => sink.received.length === 3);
    expect([...sink.bodies].sort()).toEqual(["2000", "3000", "other partition"]);
  });

  test("a source that is paused hands over nothing, and goes on where it was", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic), sink).ready;
    const source = sink.owned.get(`${topic.name}/0`);
    source?.pause();
    await publish(connection, topic, ["1", "2"]);
    const other = new RecordingSink();
    connection.consume(consumeSpec(topic, { group: "other" }), other);
    await other.until(() => other.received.length === 2);
    expect(sink.received).toEqual([]);
    source?.resume();
    await sink.until(() => sink.received.length === 2);
    expect(sink.bodies).toEqual(["1", "2"]);
  });

  test("a source that is paused when it is gained stays so until it is resumed", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1"]);
    const sink = new RecordingSink();
    const gained = sink.gained.bind(sink);
    sink.gained = (source, info) => {
      source.pause();
      gained(source, info);
    };
    await connection.consume(consumeSpec(topic), sink).ready;
    const other = new RecordingSink();
    connection.consume(consumeSpec(topic, { group: "other" }), other);
    await other.until(() => other.received.length === 1);
    expect(sink.received).toEqual([]);
    sink.owned.get(`${topic.name}/0`)?.resume();
    await sink.until(() => sink.received.length === 1);
  });

  test("what retention dropped before the group read it is a gap, and reading goes on behind it", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1", "2", "3", "4"]);
    const before = new RecordingSink({ settle: false });
    const consumer = connection.consume(consumeSpec(topic), before);
    await before.until(() => before.received.length === 4);
    await before.received[0]?.source.settle({ upTo: 0, singles: [] });
    await consumer.close({ deadline: Date.now() + 5_000 });
    await drop(topic.name, "3");
    const sink = new RecordingSink();
    connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.received.length === 1);
    expect(sink.bodies).toEqual(["4"]);
    expect(sink.gaps).toEqual([`${topic.name}/0`]);
    expect(sink.committed.get(`${topic.name}/0`)).toBe("1");
  });

  test("a position that goes out of range while it is read is a gap in a new epoch, and commits nothing by itself", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic), sink).ready;
    const source = sink.owned.get(`${topic.name}/0`);
    source?.pause();
    await publish(connection, topic, ["1", "2", "3"]);
    await drop(topic.name, "2");
    source?.resume();
    await sink.until(() => sink.received.length === 1);
    expect(sink.bodies).toEqual(["3"]);
    expect(sink.gaps).toEqual([`${topic.name}/0`]);
    expect(sink.received[0]?.source.epoch).not.toBe(source?.epoch);
    expect(await source?.settle({ upTo: 0, singles: [] })).toBe("fenced");
  });

  test("partitions that are added are noticed and read from their start", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url, metadataRefresh: "200ms" });
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic, { from: "latest" }), sink).ready;
    await kafkaAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: topic.name, count: 3 }] }));
    await publish(connection, topic, ["first"], 2);
    await sink.until(() => sink.received.length === 1);
    expect(sink.received[0]).toMatchObject({ body: "first", message: { position: "0" }, source: { partition: 2 } });
    const copies = connection.publisher("copy");
    const to = { topic, partition: 2, group: "g" };
    for (const kind of ["dead", "group"] as const) {
      // As soon as what stands beside the topic has grown with it.
      await expect
        .poll(async () => (await copies.publish({ ...to, kind }, [envelope(kind)], { deadline: Date.now() + 10_000 }))[0]?.stored)
        .toBe(true);
    }
    await sink.until(() => sink.bodies.includes("group"));
    expect(sink.received.at(-1)?.source).toMatchObject({ id: `${topic.name}.g.retry/2`, partition: 2 });
  });

  test("a consumer whose connection is cut, for a while or again and again, loses nothing", async () => {
    const gate = await openGate(url);
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    const states: string[] = [];
    const behind = connect({ url: gate.url, sessionTimeout: "6s" }, { state: (role, state) => states.push(`${role} ${state}`) });
    const sink = new RecordingSink();
    await behind.consume(consumeSpec(topic), sink).ready;
    for (let i = 0; i < 10; i++) {
      gate.cut();
      await publish(connection, topic, [String(i)]);
      await sink.until(() => sink.bodies.includes(String(i)));
    }
    gate.refuse();
    await sink.until(() => sink.events.at(-1)?.endsWith("connection") === true);
    await publish(connection, topic, ["back"]);
    gate.release();
    await sink.until(() => sink.bodies.includes("back"));
    expect(states.slice(0, 3)).toEqual(["consume connected", "consume disconnected", "consume connected"]);
    expect([...new Set(sink.bodies)]).toEqual([...Array.from({ length: 10 }, (_, i) => String(i)), "back"]);
  }, 60_000);

  test("a consumer that is started while the broker is away joins when it comes", async () => {
    const gate = await openGate(url);
    gate.refuse();
    const topic = topicSpec();
    const connection = connect({ url: gate.url });
    const { ready } = connection.consume(consumeSpec(topic), new RecordingSink());
    const first = await Promise.race([
      ready.then(() => "ready"),
      new Promise((resolve) => setTimeout(resolve, 1_500, "waiting")),
    ]);
    expect(first).toBe("waiting");
    expect(connection.health().status).toBe("down");
    gate.release();
    await ready;
    expect(connection.health()).toEqual({ status: "up", problems: [] });
  });

  test("a sink that throws does not end the consumer", async () => {
    const topic = topicSpec({ partitions: 1 });
    const connection = connect({ url });
    const sink = new RecordingSink();
    const batch = sink.batch.bind(sink);
    let thrown = 0;
    sink.batch = (source, messages) => {
      batch(source, messages);
      if (thrown++ < 8) throw new Error("a fault of the sink");
    };
    await connection.consume(consumeSpec(topic), sink).ready;
    for (let i = 0; i < 10; i++) {
      await publish(connection, topic, [String(i)]);
      await sink.until(() => sink.bodies.includes(String(i)));
    }
    expect(sink.events.filter((event) => event.startsWith("lost"))).toEqual([]);
  });

  test("settlements of several sources are all committed", async () => {
    const topic = topicSpec({ partitions: 8 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    for (let partition = 0; partition < 8; partition++) await publish(connection, topic, ["x"], partition);
    const sink = new RecordingSink({ settle: false });
    const consumer = connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.received.length === 8);
    expect(await sink.settleAll()).toEqual(Array.from({ length: 8 }, () => "ok"));
    await consumer.close({ deadline: Date.now() + 5_000 });
    const [offsets] = await kafkaAdmin((admin) => admin.fetchOffsets({ groupId: `${topic.name}.g`, topics: [topic.name] }));
    expect(offsets?.partitions.map(({ offset }) => offset)).toEqual(Array.from({ length: 8 }, () => "1"));
  });

  test("a topic that is deleted under provision off ends the consumer with that reason", async () => {
    const topic = topicSpec({ groups: ["g"] });
    const connection = connect({ url, metadataRefresh: "200ms" });
    await connection.provision(topic, "create", {});
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic, { provision: "off" }), sink).ready;
    await connection.admin.deleteTopic(topic.name);
    await sink.until(() => sink.failure !== undefined);
    expect(sink.failure).toMatchObject({ code: "WAYBILL_TOPIC_NOT_FOUND", topic: topic.name });
  });

  test("a topic that does not exist under provision off is refused at once", async () => {
    const sink = new RecordingSink();
    const { ready } = connect({ url }).consume(consumeSpec(topicSpec(), { provision: "off" }), sink);
    await expect(ready).rejects.toMatchObject({ code: "WAYBILL_TOPIC_NOT_FOUND" });
  });
});

/** As retention does: the records before `offset` are gone. */
async function drop(topic: string, offset: string): Promise<void> {
  await kafkaAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
  });
}

type Admin = ReturnType<Kafka["admin"]>;

async function kafkaAdmin<T>(action: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await action(admin);
  } finally {
    await admin.disconnect();
  }
}
