import { describe, expect, test } from "vitest";
import { connect, envelope, join, publish, Recorder, spec, transport } from "./driver.ts";

describe("like kafka", () => {
  const kafka = () => transport({ like: "kafka" });

  test("positions have gaps now and then", async () => {
    await using connection = connect(kafka());
    const topic = spec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    const outcomes = await publish(
      connection,
      topic,
      Array.from({ length: 200 }, (_, i) => String(i)),
    );
    const positions = outcomes.map((outcome) => outcome.stored === true && Number(outcome.position));
    expect(positions).toEqual([...positions].sort((a, b) => Number(a) - Number(b)));
    expect(positions.at(-1)).toBeGreaterThan(199);
  });

  test("there is no single settlement: all from the first unsettled on comes again", async () => {
    await using connection = connect(kafka());
    const topic = spec({ partitions: 1 });
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    const consumer = await join(connection, first, { topic });
    await publish(connection, topic, ["1", "2", "3"]);
    await first.when(() => first.received.length === 3);
    const [one, two] = first.received;
    await one?.source.settle({ upTo: one.message.token, singles: [two?.message.token ?? 0, 3] });
    await consumer.close({ deadline: Date.now() });
    await join(connection, second, { topic });
    await second.when(() => second.received.length === 2);
    expect(second.texts).toEqual(["2", "3"]);
    expect(second.received.map(({ message }) => message.redelivered)).toEqual([false, false]);
  });

  test("another number of partitions is a drift, and the live one counts", async () => {
    await using connection = connect(kafka());
    const topic = spec({ partitions: 3 });
    expect(await connection.provision(topic, "create", {})).toEqual({ partitions: 3, drift: [] });
    expect(await connection.provision({ ...topic, partitions: 9 }, "create", {})).toEqual({
      partitions: 3,
      drift: [{ what: "partitions", declared: "9", live: "3" }],
    });
  });

  test("a message over 1 MiB is refused for good, and nothing behind it", async () => {
    await using connection = connect(kafka());
    const topic = spec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    const outcomes = await publish(connection, topic, ["1", "x".repeat(1_048_576), "2"]);
    expect(outcomes.map(({ stored }) => stored)).toEqual([true, false, true]);
    expect(outcomes[1]).toMatchObject({ retry: false, error: { code: "WAYBILL_MESSAGE_TOO_LARGE" } });
  });
});

describe("like rabbitmq", () => {
  const rabbitmq = () => transport({ like: "rabbitmq" });

  test("a message that no group takes is refused, unless the topic lets it drop", async () => {
    await using connection = connect(rabbitmq());
    const topic = spec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    expect((await publish(connection, topic, ["1"]))[0]).toMatchObject({
      stored: false,
      retry: false,
      error: { code: "WAYBILL_UNROUTABLE" },
    });
    expect((await publish(connection, { ...topic, unrouted: "drop" }, ["1"]))[0]).toEqual({ stored: true, position: undefined });
  });

  test("a group gets what was published since it was declared, and a settled message is gone", async () => {
    const shared = rabbitmq();
    await using connection = connect(shared);
    const topic = spec({ partitions: 1, groups: ["early"] });
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1"]);
    const [early, late] = [new Recorder({ settles: false }), new Recorder()];
    await join(connection, early, { topic, group: "early", from: "latest" });
    await join(connection, late, { topic, group: "late" });
    await publish(connection, topic, ["2", "3"]);
    await early.when(() => early.received.length === 3);
    await late.when(() => late.received.length === 2);
    expect(early.texts).toEqual(["1", "2", "3"]);
    expect(late.texts).toEqual(["2", "3"]);
    expect(early.received[0]?.message.position).toBeUndefined();
    const [one, , three] = early.received;
    await one?.source.settle({ upTo: undefined, singles: [three?.message.token ?? 0] });
    const left = shared.broker.memory.used;
    await one?.source.settle({ upTo: one.message.token, singles: [] });
    expect(shared.broker.memory.used).toBeLessThan(left);
    await one?.source.settle({ upTo: three?.message.token, singles: [] });
    expect(shared.broker.memory.used).toBe(0);
  });

  test("another number of partitions, or keys where there were none, is refused", async () => {
    await using connection = connect(rabbitmq());
    const topic = spec({ partitions: 3 });
    await connection.provision(topic, "create", {});
    const refused = { code: "WAYBILL_TOPIC_MISMATCH", topic: topic.name };
    await expect(connection.provision({ ...topic, partitions: 4 }, "create", {})).rejects.toMatchObject(refused);
    await expect(connection.provision({ ...topic, keyed: false }, "check", {})).rejects.toMatchObject(refused);
  });

  test("members of a topic without keys compete for one partition, and what one does not settle goes to another", async () => {
    const shared = rabbitmq();
    await using connection = connect(shared);
    await using other = connect(shared);
    const topic = spec({ keyed: false, partitions: 8 });
    expect((await connection.provision(topic, "create", {})).partitions).toBe(1);
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    const consumer = await join(connection, first, { topic });
    await join(other, second, { topic });
    await second.when(() => second.owned.size === 1);
    await publish(
      connection,
      topic,
      Array.from({ length: 40 }, (_, i) => String(i)),
    );
    await first.when(() => first.received.length > 0);
    await second.when(() => second.received.length > 0);
    await consumer.close({ deadline: Date.now() });
    await second.when(() => second.received.length === 40);
    expect(new Set(second.texts).size).toBe(40);
  });
});

test.each(["kafka", "rabbitmq", undefined] as const)(
  "like %s: what is missing is refused under check, and left alone under off",
  async (like) => {
    await using connection = connect(transport({ like }));
    const topic = spec();
    const missing = { code: "WAYBILL_TOPIC_NOT_FOUND", topic: topic.name };
    for (const mode of ["check", "off"] as const) {
      await expect(connection.provision(topic, mode, {})).rejects.toMatchObject(missing);
      await expect(join(connection, new Recorder(), { topic, provision: mode })).rejects.toMatchObject(missing);
    }
    await connection.provision(topic, "create", {});
    expect((await connection.provision({ ...topic, partitions: topic.partitions }, "off", {})).partitions).toBe(topic.partitions);
    const to = { kind: "topic", topic, partition: 0 } as const;
    await connection.close({ deadline: Date.now() });
    await connection.close({ deadline: Date.now() });
    const [outcome] = await connection.publisher("publish").publish(to, [envelope("1")], { deadline: Date.now() });
    expect(outcome).toMatchObject({ stored: false, retry: false, error: { code: "WAYBILL_CLOSED" } });
    await expect(connection.ready({})).rejects.toMatchObject({ code: "WAYBILL_CLOSED" });
  },
);
