import { describe, expect, test } from "vitest";
import { connect, envelope, join, publish, Recorder, spec, transport } from "./driver.ts";

describe("a memory broker", () => {
  test("gives each group a copy, in order", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    const [a, b] = [new Recorder(), new Recorder()];
    await join(connection, a, { topic, group: "a" });
    await join(connection, b, { topic, group: "b" });
    const outcomes = await publish(connection, topic, ["1", "2", "3"]);
    expect(outcomes.map(({ stored }) => stored)).toEqual([true, true, true]);
    await a.when(() => a.received.length === 3);
    await b.when(() => b.received.length === 3);
    expect(a.texts).toEqual(["1", "2", "3"]);
    expect(b.texts).toEqual(["1", "2", "3"]);
  });

  test("hands an envelope over as it was published", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const sink = new Recorder();
    await join(connection, sink, { topic });
    const sent = envelope("körper", {
      key: Buffer.from("k"),
      headers: [
        ["a", "1"],
        ["a", "2"],
        ["b", new Uint8Array([0, 255])],
      ],
    });
    const to = { kind: "topic", topic, partition: 0 } as const;
    await connection.publisher("publish").publish(to, [sent, { ...sent, body: null }], { deadline: Date.now() + 1_000 });
    await sink.when(() => sink.received.length === 2);
    const { token, position, redelivered, native, ...got } = sink.received[0]?.message ?? {};
    expect(got).toEqual(sent);
    expect({ position, redelivered, native }).toEqual({ position: "0", redelivered: false, native: sent });
    expect(sink.received[1]?.message.body).toBeNull();
    expect(sink.received[1]?.message.token).toBeGreaterThan(token ?? Number.NaN);
  });

  test("answers, and hands over, in a later turn", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const sink = new Recorder();
    await join(connection, sink, { topic });
    await sink.when(() => sink.owned.size > 0);
    const order: string[] = [];
    const published = publish(connection, topic, ["1"]).then(() => order.push("answered"));
    order.push(`called, ${sink.received.length} handed over`);
    await published;
    expect(order).toEqual(["called, 0 handed over", "answered"]);
  });

  test("gives a new group what is retained, and one that wants the latest nothing of it", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1, groups: ["late"] });
    await connection.provision(topic, "create", {});
    await publish(connection, topic, ["1", "2"]);
    const [all, late, since] = [new Recorder(), new Recorder(), new Recorder()];
    await join(connection, all, { topic, group: "all" });
    // It was declared before, but has read nothing yet.
    await join(connection, late, { topic, group: "late", from: "latest" });
    await join(connection, since, { topic, group: "since", from: new Date(Date.now() + 60_000) });
    await publish(connection, topic, ["3"]);
    for (const sink of [all, late]) await sink.when(() => sink.texts.includes("3"));
    expect(all.texts).toEqual(["1", "2", "3"]);
    expect(late.texts).toEqual(["3"]);
    expect(since.texts).toEqual([]);
  });

  test("goes on where the group was, and hands over again what was not settled", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const first = new Recorder({ settles: false });
    const consumer = await join(connection, first, { topic });
    await publish(connection, topic, ["1", "2", "3"]);
    await first.when(() => first.received.length === 3);
    const one = first.received[0];
    expect(await one?.source.settle({ upTo: one.message.token, singles: [] })).toBe("ok");
    await consumer.close({ deadline: Date.now() + 1_000 });
    expect(first.lostWhy).toEqual(["closed"]);
    expect(await one?.source.settle({ upTo: 99, singles: [] })).toBe("fenced");
    const second = new Recorder();
    await join(connection, second, { topic, from: "latest" });
    await second.when(() => second.received.length === 2);
    expect(second.texts).toEqual(["2", "3"]);
    expect(second.received.map(({ message }) => message.redelivered)).toEqual([true, true]);
    expect(second.gains[0]).toMatchObject({ committed: "1", gap: false });
  });

  test("settles single messages behind one that is not", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const first = new Recorder({ settles: false });
    const consumer = await join(connection, first, { topic });
    await publish(connection, topic, ["1", "2", "3", "4"]);
    await first.when(() => first.received.length === 4);
    const tokens = first.received.map(({ message }) => message.token);
    await first.received[0]?.source.settle({ upTo: undefined, singles: [tokens[1] ?? 0, tokens[3] ?? 0] });
    await consumer.close({ deadline: Date.now() + 1_000 });
    const second = new Recorder();
    await join(connection, second, { topic });
    await publish(connection, topic, ["5"]);
    await second.when(() => second.texts.includes("5"));
    expect(second.texts).toEqual(["1", "3", "5"]);
  });

  test("hands over no more than the window, and more as it is settled", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 2 });
    const sink = new Recorder({ settles: false });
    await join(connection, sink, { topic, window: { messages: 4, bytes: 1_000_000 } });
    await publish(connection, topic, ["1", "2", "3", "4"], 0);
    await publish(connection, topic, ["5", "6", "7", "8"], 1);
    await sink.when(() => sink.received.length === 4);
    await publish(connection, topic, ["9"], 1);
    expect(sink.received).toHaveLength(4);
    expect(new Set(sink.received.map(({ source }) => source.partition))).toEqual(new Set([0, 1]));
    for (const { source, message } of [...sink.received]) await source.settle({ upTo: message.token, singles: [] });
    await sink.when(() => sink.received.length === 8);
  });

  test("hands over no more bytes than the window has, but always one message", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const sink = new Recorder({ settles: false });
    await join(connection, sink, { topic, window: { messages: 100, bytes: 1_000 } });
    await publish(connection, topic, ["x".repeat(5_000), "2"]);
    await sink.when(() => sink.received.length === 1);
    await publish(connection, topic, ["3"]);
    expect(sink.received).toHaveLength(1);
    await sink.received[0]?.source.settle({ upTo: sink.received[0].message.token, singles: [] });
    await sink.when(() => sink.received.length === 3);
  });

  test("hands nothing over to a source that is paused", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 2 });
    const sink = new Recorder();
    await join(connection, sink, { topic });
    await sink.when(() => sink.gains.length >= 2);
    for (const source of sink.owned) if (source.partition === 0) source.pause();
    await publish(connection, topic, ["paused"], 0);
    await publish(connection, topic, ["1"], 1);
    await sink.when(() => sink.received.length === 1);
    expect(sink.texts).toEqual(["1"]);
    for (const source of sink.owned) source.resume();
    await sink.when(() => sink.texts.includes("paused"));
  });

  test("refuses a publish to a topic, partition or group that is not there", async () => {
    await using connection = connect(transport());
    const topic = spec({ partitions: 1 });
    const refused = async (to: Parameters<ReturnType<typeof connection.publisher>["publish"]>[0]) => {
      const [outcome] = await connection.publisher("publish").publish(to, [envelope("1")], { deadline: Date.now() + 1_000 });
      return outcome?.stored === false && !outcome.retry ? outcome.error.code : outcome;
    };
    expect(await refused({ kind: "topic", topic, partition: 0 })).toBe("WAYBILL_TOPIC_NOT_FOUND");
    await connection.provision(topic, "create", {});
    expect(await refused({ kind: "topic", topic, partition: 7 })).toBe("WAYBILL_PUBLISH_REFUSED");
    expect(await refused({ kind: "group", topic, partition: 0, group: "none" })).toBe("WAYBILL_TOPIC_NOT_FOUND");
    expect(await refused({ kind: "dead", topic, partition: 0, group: "none" })).toBe("WAYBILL_TOPIC_NOT_FOUND");
  });
});
