import { describe, expect, test } from "vitest";
import { connect, envelope, join, publish, Recorder, spec, transport } from "./driver.ts";

const partitions = (sink: Recorder) => [...sink.owned].map(({ partition }) => partition).sort();

describe("a group", () => {
  test("shares its partitions evenly, each owned by one member at a time", async () => {
    const shared = transport();
    const topic = spec({ partitions: 7 });
    const sinks = [new Recorder(), new Recorder(), new Recorder()];
    for (const sink of sinks) await join(connect(shared), sink, { topic });
    await expect.poll(() => sinks.map((sink) => partitions(sink).length).sort(), { interval: 1 }).toEqual([2, 2, 3]);
    await expect.poll(() => sinks.flatMap(partitions).sort(), { interval: 1 }).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test("hands a partition over in order: asked for, settled, given up, and gained by the other where it was", async () => {
    const shared = transport();
    await using one = connect(shared);
    await using other = connect(shared);
    const topic = spec({ partitions: 2 });
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    await join(one, first, { topic });
    await publish(one, topic, ["1", "2"], 0);
    await publish(one, topic, ["1", "2"], 1);
    await first.when(() => first.received.length === 4);
    const settled = Promise.withResolvers<void>();
    first.handover = () => settled.promise;
    await join(other, second, { topic });
    await first.when(() => first.events.some((event) => event.startsWith("losing")));
    // Nothing moves, and nothing more comes, until the first has settled what it was doing.
    await publish(one, topic, ["3"], 0);
    await publish(one, topic, ["3"], 1);
    expect(second.owned.size).toBe(0);
    for (const { source, message } of first.received) await source.settle({ upTo: message.token, singles: [] });
    settled.resolve();
    await second.when(() => second.received.length === 1);
    expect(second.texts).toEqual(["3"]);
    expect(first.lostWhy).toEqual(["handed-over"]);
    expect(partitions(first)).toHaveLength(1);
    expect(partitions(second)).toHaveLength(1);
  });

  test("does not wait for a hand-over for longer than it may take", async () => {
    const shared = transport();
    await using one = connect(shared);
    await using other = connect(shared);
    const topic = spec({ partitions: 2 });
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    first.handover = () => new Promise(() => {});
    await join(one, first, { topic, handover: 5 });
    await publish(one, topic, ["1"], 0);
    await publish(one, topic, ["1"], 1);
    await first.when(() => first.received.length === 2);
    await join(other, second, { topic });
    await second.when(() => second.received.length === 1);
    expect(second.received[0]?.message.redelivered).toBe(true);
  });

  test("gives the partitions of one that leaves to those that stay, and moves no other", async () => {
    const shared = transport();
    await using connection = connect(shared);
    await using leaving = connect(shared);
    const topic = spec({ partitions: 4 });
    const [stays, leaves] = [new Recorder(), new Recorder()];
    await join(connection, stays, { topic });
    const consumer = await join(leaving, leaves, { topic });
    await leaves.when(() => partitions(leaves).length === 2);
    const kept = partitions(stays);
    const epochs = [...stays.owned].map(({ epoch }) => epoch);
    await consumer.close({ deadline: Date.now() + 1_000 });
    await stays.when(() => partitions(stays).length === 4);
    expect([...stays.owned].map(({ epoch }) => epoch)).toEqual(expect.arrayContaining(epochs));
    expect(kept).toHaveLength(2);
  });

  test("misses a severed member after the session time: its unsettled messages go to another, and its own settlements are fenced", async () => {
    const shared = transport();
    await using other = connect(shared);
    const vanishing = connect(shared);
    const topic = spec({ partitions: 1 });
    const [first, second] = [new Recorder({ settles: false }), new Recorder()];
    await join(vanishing, first, { topic });
    await publish(other, topic, ["1", "2", "3"]);
    await first.when(() => first.received.length === 3);
    const one = first.received[0];
    await one?.source.settle({ upTo: one.message.token, singles: [] });
    await join(other, second, { topic });
    vanishing.sever();
    expect(await one?.source.settle({ upTo: 3, singles: [] })).toBe("fenced");
    await publish(other, topic, ["4"]);
    await second.when(() => second.received.length === 3);
    expect(second.texts).toEqual(["2", "3", "4"]);
    expect(second.received.map(({ message }) => message.redelivered)).toEqual([true, true, false]);
    expect(first.received).toHaveLength(3);
    await vanishing.close({ deadline: Date.now() });
  });

  test("loses its sources when the connection is cut, and has them again when it is back", async () => {
    const shared = transport();
    const states: string[] = [];
    await using connection = connect(shared, { state: (role, state) => states.push(`${role} ${state}`) });
    const topic = spec({ partitions: 1 });
    const sink = new Recorder({ settles: false });
    await join(connection, sink, { topic });
    await publish(connection, topic, ["1"]);
    await sink.when(() => sink.received.length === 1);
    shared.broker.stop();
    expect(sink.lostWhy).toEqual(["connection"]);
    expect(connection.health().status).toBe("down");
    const waiting = publish(connection, topic, ["2"]);
    shared.broker.start();
    expect((await waiting)[0]?.stored).toBe(true);
    await sink.when(() => sink.received.length === 3);
    expect(sink.texts).toEqual(["1", "1", "2"]);
    expect(states).toEqual(expect.arrayContaining(["consume connected", "publish connected"]));
  });

  test("waits for a broker that is down, and joins when it comes up", async () => {
    const shared = transport();
    shared.broker.stop();
    await using connection = connect(shared);
    const sink = new Recorder();
    const topic = spec();
    const joined = join(connection, sink, { topic });
    const ready = connection.ready({});
    await expect(connection.ready({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    const [late] = await connection
      .publisher("publish")
      .publish({ kind: "topic", topic, partition: 0 }, [envelope("late")], { deadline: Date.now() + 5 });
    expect(late).toMatchObject({ stored: false, retry: true, error: { code: "WAYBILL_CONNECTION_FAILED" } });
    shared.broker.start();
    await Promise.all([joined, ready]);
    await publish(connection, topic, ["1"]);
    await sink.when(() => sink.received.length === 1);
  });

  test("does not know what became of a publish whose answer was lost", async () => {
    const shared = transport();
    await using connection = connect(shared);
    const topic = spec({ partitions: 1 });
    await connection.provision(topic, "create", {});
    const published = publish(connection, topic, ["1"]);
    shared.broker.stop();
    shared.broker.start();
    expect((await published)[0]).toMatchObject({ stored: "unknown", retry: true });
  });
});
