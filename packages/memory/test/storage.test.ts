import { setImmediate as turn } from "node:timers/promises";
import type { Connection, Destination, TopicSpec } from "@waybill/core/transport";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../src/test-clock.ts";
import { connect, envelope, join, publish, Recorder, spec, transport } from "./driver.ts";

function send(connection: Connection, to: Destination, text: string, purpose: "publish" | "copy" = "copy") {
  return connection.publisher(purpose).publish(to, [envelope(text)], { deadline: Date.now() + 1_000 });
}

const toGroup = (topic: TopicSpec, group: string) => ({ topic, group, partition: 0 }) as const;

describe("replay, delay and dead letters", () => {
  test("a replay reaches its group alone, from a source of its own, with the partition's owner", async () => {
    const shared = transport();
    await using connection = connect(shared);
    await using other = connect(shared);
    const topic = spec({ partitions: 1, groups: ["a", "b"] });
    const [a, b] = [new Recorder(), new Recorder()];
    await join(connection, a, { topic, group: "a" });
    await join(other, b, { topic, group: "b" });
    await publish(connection, topic, ["1"]);
    await send(connection, { kind: "group", ...toGroup(topic, "a") }, "again");
    await a.when(() => a.received.length === 2);
    expect(a.texts).toEqual(["1", "again"]);
    expect(a.received.map(({ source }) => source.id)).toEqual([`${topic.name}/0`, `${topic.name}.a.retry/0`]);
    expect(b.texts).toEqual(["1"]);
  });

  test("a replay is handed over with its partition", async () => {
    const shared = transport();
    await using connection = connect(shared);
    await using other = connect(shared);
    const topic = spec({ partitions: 1, groups: ["g"] });
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    const consumer = await join(connection, first, { topic });
    await send(connection, { kind: "group", ...toGroup(topic, "g") }, "again");
    await first.when(() => first.received.length === 1);
    await join(other, second, { topic });
    await consumer.close({ deadline: Date.now() });
    await second.when(() => second.received.length === 1);
    expect(second.received[0]?.message.redelivered).toBe(true);
  });

  test("a delayed message comes when its time has come, and not before", async () => {
    const clock = new ManualClock();
    await using connection = connect(transport(), { clock });
    const topic = spec({ partitions: 1 });
    const sink = new Recorder();
    await join(connection, sink, { topic });
    await send(connection, { kind: "delay", ...toGroup(topic, "g"), ms: 1_000 }, "later");
    clock.moveTo(clock.now() + 999);
    for (let i = 0; i < 5; i++) await turn();
    expect(sink.texts).toEqual([]);
    clock.moveTo(clock.now() + 1);
    await sink.when(() => sink.received.length === 1);
    expect(sink.texts).toEqual(["later"]);
  });

  test("a delayed message waits for whoever connects next", async () => {
    const shared = transport();
    const topic = spec({ partitions: 1, groups: ["g"] });
    {
      await using connection = connect(shared);
      await connection.provision(topic, "create", {});
      await send(connection, { kind: "delay", ...toGroup(topic, "g"), ms: 5 }, "later");
    }
    await using connection = connect(shared);
    const sink = new Recorder();
    await join(connection, sink, { topic });
    await sink.when(() => sink.received.length === 1);
  });

  test("dead letters stand apart for each group", async () => {
    const shared = transport();
    await using connection = connect(shared);
    const topic = spec({ partitions: 1, groups: ["a", "b"] });
    await connection.provision(topic, "create", {});
    await send(connection, { kind: "dead", ...toGroup(topic, "a") }, "dead");
    expect(shared.broker.deadLetters(topic.name, "a").map(({ body }) => String(body))).toEqual(["dead"]);
    expect(shared.broker.deadLetters(topic.name, "b")).toEqual([]);
  });
});

describe("what is kept", () => {
  test("retention drops what is old, and says so to a group that had not read it", async () => {
    const clock = new ManualClock();
    await using connection = connect(transport(), { clock });
    const topic = spec({ partitions: 1, retention: 1_000 });
    const sink = new Recorder();
    const consumer = await join(connection, sink, { topic });
    await publish(connection, topic, ["1"]);
    await sink.when(() => sink.received.length === 1);
    await consumer.close({ deadline: clock.now() });
    await publish(connection, topic, ["2", "3"]);
    clock.moveTo(clock.now() + 1_001);
    await publish(connection, topic, ["4"]);
    await join(connection, sink, { topic });
    await sink.when(() => sink.received.length === 2);
    expect(sink.texts).toEqual(["1", "4"]);
    expect(sink.gains.map(({ gap }) => gap)).toEqual([false, true]);
  });

  test("retention that overtakes a member that reads says so too", async () => {
    const clock = new ManualClock();
    await using connection = connect(transport(), { clock });
    const topic = spec({ partitions: 1, retention: 1_000 });
    const sink = new Recorder();
    await join(connection, sink, { topic });
    await sink.when(() => sink.owned.size === 1);
    for (const source of sink.owned) source.pause();
    await publish(connection, topic, ["1"]);
    clock.moveTo(clock.now() + 1_001);
    await publish(connection, topic, ["2"]);
    await sink.when(() => sink.received.length === 1);
    expect(sink.texts).toEqual(["2"]);
    expect(sink.gains.map(({ gap }) => gap)).toEqual([false, true]);
  });

  test("past its bound the broker drops what every group has settled, and then refuses more for now", async () => {
    await using connection = connect(transport({ maxBytes: 100_000 }));
    const topic = spec({ partitions: 1 });
    const reads = new Recorder();
    const consumer = await join(connection, reads, { topic });
    const kilobyte = "x".repeat(1_000);
    for (let i = 0; i < 300; i++) expect((await publish(connection, topic, [kilobyte]))[0]?.stored).toBe(true);
    await reads.when(() => reads.received.length === 300);
    await consumer.close({ deadline: Date.now() });

    const outcomes = [];
    for (let i = 0; i < 100; i++) outcomes.push(...(await publish(connection, topic, [kilobyte, kilobyte])));
    const refused = outcomes.findIndex(({ stored }) => stored !== true);
    expect(refused).toBeGreaterThan(50);
    for (const outcome of outcomes.slice(refused)) {
      expect(outcome).toMatchObject({ stored: false, retry: true, error: { code: "WAYBILL_PUBLISH_REFUSED", retryable: true } });
    }
    expect(connection.health().status).toBe("degraded");
    // What lets a group settle is never held back by it.
    expect((await send(connection, { kind: "dead", ...toGroup(topic, "g") }, kilobyte))[0]?.stored).toBe(true);

    const rest = new Recorder();
    await join(connection, rest, { topic });
    await rest.when(() => rest.received.length === refused);
    expect((await publish(connection, topic, [kilobyte]))[0]?.stored).toBe(true);
  });

  test("a topic that is removed goes with all that is stored, and members under provision: create begin anew", async () => {
    const shared = transport();
    await using connection = connect(shared);
    const topic = spec({ partitions: 1, groups: ["g"] });
    const [creates, takes] = [new Recorder(), new Recorder()];
    await join(connection, creates, { topic });
    await join(connection, takes, { topic, group: "other", provision: "off" });
    await publish(connection, topic, ["1"]);
    await takes.when(() => takes.received.length === 1);
    expect(await connection.admin.topics()).toEqual([{ name: topic.name, partitions: 1 }]);
    expect(await connection.admin.groups(topic.name)).toEqual([
      { group: "g", members: 1 },
      { group: "other", members: 1 },
    ]);
    await connection.admin.deleteTopic(topic.name);
    await connection.admin.deleteTopic(topic.name);
    expect(shared.broker.memory.used).toBe(0);
    await creates.when(() => creates.gains.length === 2);
    await publish(connection, topic, ["2"]);
    await creates.when(() => creates.texts.includes("2"));
    await takes.when(() => takes.failure !== undefined || takes.gains.length === 2);
  });
});
