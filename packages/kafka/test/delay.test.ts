import { type Bus, createBus, topic } from "@waybill/core";
import { type Connection, type Envelope, silentLogger, type TopicSpec } from "@waybill/core/transport";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { type KafkaOptions, kafka } from "../src/index.ts";
import { connect, consumeSpec, envelope, publish, RecordingSink, topicSpec } from "./driver.ts";

const { url = "", skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`delayed messages${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("a message goes through its delays, never early, counted, and to the dead letters at last", async () => {
    const { orders, calls, join } = jobs();
    const { bus } = await join();
    const { id } = await bus.publish(orders, "job");
    const letters = bus.admin.deadLetters(orders, "billing");
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), { timeout: 20_000, interval: 100 });
    expect(calls.map((call) => ({ ...call, at: 0 }))).toEqual([1, 2, 3].map((attempt) => ({ attempt, id, at: 0 })));
    expectNotEarly(calls);
    expect(await letters.get(id)).toMatchObject({ id, attempts: 3, headers: {} });
  });

  test("what waits survives a rebalance and the end of its member, and comes neither early nor twice", async () => {
    const { orders, calls, join } = jobs();
    const first = await join();
    const { id } = await first.bus.publish(orders, "job");
    await vi.waitUntil(() => calls.length === 1, { timeout: 10_000 });
    // It waits while another joins, and while the one that put it there leaves.
    const second = await join();
    await first.bus.close();
    await vi.waitUntil(() => calls.length === 2, { timeout: 15_000 });
    // And while nobody is there.
    await second.bus.close();
    const third = await join();
    const letters = third.bus.admin.deadLetters(orders, "billing");
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), { timeout: 20_000, interval: 100 });
    expect(calls.map((call) => ({ ...call, at: 0 }))).toEqual([1, 2, 3].map((attempt) => ({ attempt, id, at: 0 })));
    expectNotEarly(calls);
  }, 60_000);

  test("partitions that are added have their delays too", async () => {
    const { orders, calls, join } = jobs();
    const { bus } = await join({ metadataRefresh: "500ms" });
    const client = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
    await client.connect();
    onTestFinished(() => client.disconnect());
    await client.createPartitions({ topicPartitions: [{ topic: orders.name, count: 3 }] });
    const producer = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: orders.name, messages: [{ partition: 2, value: '"job"' }] });
    await producer.disconnect();
    await vi.waitUntil(() => calls.length === 3, { timeout: 20_000 });
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expectNotEarly(calls);
    await vi.waitFor(async () => expect(await bus.admin.deadLetters(orders, "billing").count()).toBe(1), { timeout: 10_000 });
  }, 60_000);

  test("while one waits others of its group flow, and a pause holds back what has become due", async () => {
    const connection = connect({ url });
    const spec = topicSpec({ partitions: 1, keyed: false });
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(spec, { delays: [300, 1_500] }), sink).ready;
    const held = sink.owned.get(`${spec.name}.g.delay.300/0`);
    held?.pause();
    await delay(connection, spec, 300, envelope("short"));
    await delay(connection, spec, 1_500, envelope("long"));
    await publish(connection, spec, ["now"]);
    await sink.until(() => sink.received.length === 2);
    expect(sink.bodies).toEqual(["now", "long"]);
    held?.resume();
    await sink.until(() => sink.received.length === 3);
    expect(sink.received.map(({ message }) => message.position)).toEqual(["0", "delay.1500:0", "delay.300:0"]);
  });

  test("what waits is committed only once it is handed over", async () => {
    const spec = topicSpec({ partitions: 1, keyed: false });
    const [first, second] = [connect({ url }), connect({ url })];
    const consume = consumeSpec(spec, { delays: [1_000] });
    const [a, b] = [new RecordingSink(), new RecordingSink()];
    const consumer = first.consume(consume, a);
    await consumer.ready;
    await delay(first, spec, 1_000, envelope("1"));
    await a.until(() => a.received.length === 1);
    await a.settleAll();
    await delay(first, spec, 1_000, envelope("2"));
    await consumer.close({ deadline: Date.now() + 5_000 });
    await second.consume(consume, b).ready;
    await b.until(() => b.received.length === 1);
    expect([a.bodies, b.bodies]).toEqual([["1"], ["2"]]);
    expect(b.committed.get(`${spec.name}.g.delay.1000/0`)).toBe("delay.1000:1");
  });

  test("what is settled is removed, and nothing else", async () => {
    const connection = connect({ url });
    const spec = topicSpec({ partitions: 1, keyed: false });
    const sink = new RecordingSink({ settle: false });
    await connection.consume(consumeSpec(spec, { delays: [1] }), sink).ready;
    for (const body of ["1", "2", "3"]) await delay(connection, spec, 1, envelope(body));
    await sink.until(() => sink.received.length === 3);
    expect(await sink.received[1]?.source.settle({ upTo: 1, singles: [] })).toBe("ok");
    const name = `${spec.name}.g.delay.1`;
    await expect.poll(() => offsetsOf(name), { timeout: 10_000 }).toMatchObject([{ low: "2", high: "3" }]);
  });

  test("a delay that a group does not use any more is read until it is empty", async () => {
    const connection = connect({ url });
    const spec = topicSpec({ partitions: 1, keyed: false });
    const before = connection.consume(consumeSpec(spec, { delays: [200] }), new RecordingSink());
    await before.ready;
    await before.close({ deadline: Date.now() + 5_000 });
    await delay(connection, spec, 200, envelope("left"));
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(spec, { delays: [100] }), sink).ready;
    await sink.until(() => sink.received.length === 1);
    expect(sink.bodies).toEqual(["left"]);
  });

  test("a foreign message keeps its own time while it waits from when it was put there", async () => {
    const connection = connect({ url });
    const spec = topicSpec({ partitions: 1, keyed: false });
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(spec, { delays: [500] }), sink).ready;
    const put = Date.now();
    await delay(connection, spec, 500, envelope("old", { attributes: {}, timestamp: 1_234 }));
    await sink.until(() => sink.received.length === 1);
    expect(Date.now() - put).toBeGreaterThanOrEqual(500);
    expect(sink.received[0]?.message.timestamp).toBe(1_234);
  });

  test("its topics are made with the group alone, hidden, asked for by who may not make them, and deleted with the topic", async () => {
    const connection = connect({ url });
    const spec = topicSpec();
    await connection.provision({ ...spec, groups: ["g"] }, "create", {});
    for (const provision of ["check", "off"] as const) {
      const consumer = connection.consume(consumeSpec(spec, { provision, delays: [50] }), new RecordingSink());
      await expect(consumer.ready).rejects.toThrow(`${spec.name}.g.delay.50`);
    }
    const consumer = connection.consume(consumeSpec(spec, { delays: [50] }), new RecordingSink());
    await consumer.ready;
    await consumer.close({ deadline: Date.now() + 5_000 });
    expect(await brokerTopics(spec.name)).toContain(`${spec.name}.g.delay.50`);
    const listed = (await connection.admin.topics()).map(({ name }) => name).filter((name) => name.startsWith(spec.name));
    expect(listed).toEqual([spec.name]);
    expect(await connection.admin.groups(spec.name)).toEqual([{ group: "g", members: 0 }]);
    await connection.admin.deleteTopic(spec.name);
    await expect.poll(() => brokerTopics(spec.name)).toEqual([]);
  });
});

interface Call {
  readonly attempt: number;
  readonly id: string;
  readonly at: number;
}

/** A topic without keys whose handler always fails, in members that share one group. */
function jobs() {
  const orders = topic(topicSpec().name, { partitions: 2 });
  const calls: Call[] = [];
  const join = async (options: KafkaOptions = {}) => {
    const bus: Bus = createBus({ app: "test", logger: silentLogger, transport: kafka({ url, ...options }) });
    onTestFinished(() => bus.close());
    await bus.subscribe(orders, { group: "billing", retry: { attempts: 1, later: ["1s", "2s"] } }, ({ attempt, id }) => {
      calls.push({ attempt, id, at: Date.now() });
      throw new Error("declined");
    });
    return { bus };
  };
  return { orders, calls, join };
}

/** By the delays of {@link jobs}. */
function expectNotEarly([first, second, third]: readonly Call[]): void {
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
}

async function delay(connection: Connection, spec: TopicSpec, ms: number, message: Envelope): Promise<void> {
  const publisher = connection.publisher("copy");
  const to = { kind: "delay", topic: spec, partition: 0, group: "g", ms } as const;
  const [outcome] = await publisher.publish(to, [message], { deadline: Date.now() + 20_000 });
  await publisher.close();
  if (outcome?.stored !== true) throw outcome?.error;
}

async function offsetsOf(topic: string) {
  const client = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await client.connect();
  try {
    return await client.fetchTopicOffsets(topic);
  } finally {
    await client.disconnect();
  }
}

async function brokerTopics(prefix: string): Promise<string[]> {
  const client = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await client.connect();
  try {
    return (await client.listTopics()).filter((name) => name.startsWith(prefix));
  } finally {
    await client.disconnect();
  }
}
