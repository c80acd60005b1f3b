import { describe, expect, inject, test } from "vitest";
import { connect, consumeSpec, publish, RecordingSink, topicSpec } from "./driver.ts";

const { url = "", skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`a group of several members${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("shares partitions, each with that of the retry topic, and hands them over when a member leaves", async () => {
    const topic = topicSpec({ partitions: 4 });
    const [a, b] = [new RecordingSink(), new RecordingSink()];
    await connect({ url }).consume(consumeSpec(topic), a).ready;
    expect(a.owned.size).toBe(8);
    const second = connect({ url }).consume(consumeSpec(topic), b);
    await second.ready;
    await a.until(() => a.owned.size === 4);
    expect(b.owned.size).toBe(4);
    for (const sink of [a, b]) {
      const numbers = (name: string) =>
        [...sink.owned.values()].filter(({ id }) => id.startsWith(`${name}/`)).map((s) => s.partition);
      expect(numbers(`${topic.name}.g.retry`).sort()).toEqual(numbers(topic.name).sort());
    }
    await second.close({ deadline: Date.now() + 5_000 });
    await a.until(() => a.owned.size === 8);
    expect(b.events.at(-1)).toBe("lost 4 closed");
  });

  test("keeps what a member had when another joins", async () => {
    const topic = topicSpec({ partitions: 6 });
    const [a, b, c] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
    await connect({ url }).consume(consumeSpec(topic), a).ready;
    await connect({ url }).consume(consumeSpec(topic), b).ready;
    await a.until(() => a.owned.size === 6);
    const before = [new Set(a.owned.keys()), new Set(b.owned.keys())];
    await connect({ url }).consume(consumeSpec(topic), c).ready;
    await a.until(() => a.owned.size === 4);
    await b.until(() => b.owned.size === 4);
    expect([...a.owned.keys()].every((id) => before[0]?.has(id))).toBe(true);
    expect([...b.owned.keys()].every((id) => before[1]?.has(id))).toBe(true);
  });

  test("joins again only when running work is settled, however long the session", async () => {
    const topic = topicSpec({ partitions: 2 });
    const options = { url, sessionTimeout: "6s" } as const;
    const connection = connect(options);
    const [a, b] = [new RecordingSink({ settle: false }), new RecordingSink()];
    await connection.consume(consumeSpec(topic, { handover: 20_000 }), a).ready;
    await publish(connection, topic, ["1", "2"]);
    await a.until(() => a.received.length === 2);
    const work = Promise.withResolvers<void>();
    let settled: string[] = [];
    a.onLosing = async () => {
      await work.promise;
      settled = await a.settleAll();
    };
    const second = connect(options).consume(consumeSpec(topic), b);
    await a.until(() => a.events.includes("losing 4"));
    // Longer than the session.
    await new Promise((resolve) => setTimeout(resolve, 7_500));
    expect(b.owned.size).toBe(0);
    work.resolve();
    await second.ready;
    await a.until(() => a.owned.size === 2);
    expect(settled).toEqual(["ok"]);
    expect(a.events).toContain("lost 4 handed-over");
    expect([...a.bodies, ...b.bodies]).toEqual(["1", "2"]);
  });

  test("gets what a member that vanished had not settled", async () => {
    const topic = topicSpec({ partitions: 2 });
    const options = { url, sessionTimeout: "6s" } as const;
    const dying = connect(options);
    const [a, b] = [new RecordingSink({ settle: false }), new RecordingSink()];
    await dying.consume(consumeSpec(topic), a).ready;
    await publish(dying, topic, ["1", "2", "3"]);
    await a.until(() => a.received.length === 3);
    const [first] = a.received;
    expect(await first?.source.settle({ upTo: 0, singles: [] })).toBe("ok");
    dying.sever();
    expect(await first?.source.settle({ upTo: 2, singles: [] })).toBe("fenced");
    await connect(options).consume(consumeSpec(topic), b).ready;
    await b.until(() => b.received.length === 2);
    expect(b.bodies).toEqual(["2", "3"]);
  });

  test("shares partitions with kafkajs's own assignor too", async () => {
    const topic = topicSpec({ partitions: 4 });
    const options = { url, assignor: "round-robin" } as const;
    const [a, b] = [new RecordingSink(), new RecordingSink()];
    await connect(options).consume(consumeSpec(topic), a).ready;
    await connect(options).consume(consumeSpec(topic), b).ready;
    await a.until(() => a.owned.size === 4);
    expect(new Set([...a.owned.keys(), ...b.owned.keys()]).size).toBe(8);
  });

  test("waits for a member that does not come to an end no longer than the hand-over may take", async () => {
    const topic = topicSpec();
    const [a, b] = [new RecordingSink({ settle: false }), new RecordingSink()];
    await connect({ url }).consume(consumeSpec(topic, { handover: 1_000 }), a).ready;
    const work = Promise.withResolvers<void>();
    a.onLosing = () => work.promise;
    await connect({ url }).consume(consumeSpec(topic), b).ready;
    expect(a.events).toContain("lost 4 fenced");
    await a.until(() => a.owned.size === 2);
    // It ends after all, and takes nothing with it.
    work.resolve();
    for (const partition of [0, 1]) await publish(connect({ url }), topic, [String(partition)], partition);
    await expect.poll(() => [...a.bodies, ...b.bodies].sort(), { timeout: 10_000 }).toEqual(["0", "1"]);
  });

  test("loses nothing and keeps the order while members join, leave and vanish", async () => {
    const topic = topicSpec({ partitions: 4 });
    const options = { url, sessionTimeout: "6s" } as const;
    const connection = connect(options);
    await connection.provision({ ...topic, groups: ["g"] }, "create", {});
    const publisher = connection.publisher("publish");
    const sinks = Array.from({ length: 4 }, () => new RecordingSink());
    const join = (sink: RecordingSink | undefined) => {
      const member = connect(options);
      return { member, consumer: member.consume(consumeSpec(topic), sink as RecordingSink) };
    };
    const stays = join(sinks[0]);
    await stays.consumer.ready;
    let sent = 0;
    let stop = false;
    const publishing = (async () => {
      while (!stop) {
        for (let partition = 0; partition < topic.partitions; partition++) {
          const body = `${partition}:${sent}`;
          const envelope = {
            attributes: { id: body },
            contentType: undefined,
            key: undefined,
            timestamp: Date.now(),
            headers: [],
          };
          const batch = [{ ...envelope, body: Buffer.from(body) }];
          const [outcome] = await publisher.publish({ kind: "topic", topic, partition }, batch, {
            deadline: Date.now() + 20_000,
          });
          expect(outcome?.stored).toBe(true);
        }
        sent++;
      }
    })();
    const leaves = join(sinks[1]);
    await leaves.consumer.ready;
    const vanishes = join(sinks[2]);
    await vanishes.consumer.ready;
    await leaves.consumer.close({ deadline: Date.now() + 5_000 });
    vanishes.member.sever();
    const late = join(sinks[3]);
    await late.consumer.ready;
    await sinks[0]?.until(() => sinks[0]?.owned.size === 4);
    stop = true;
    await publishing;
    const all = Array.from({ length: sent }, (_, i) => [0, 1, 2, 3].map((partition) => `${partition}:${i}`)).flat();
    const missing = () => {
      const received = new Set(sinks.flatMap((sink) => sink.bodies));
      return all.filter((body) => !received.has(body));
    };
    await expect.poll(missing, { timeout: 15_000, interval: 100 }).toEqual([]);
    for (const sink of sinks) {
      const last = new Map<string, number>();
      for (const { source, message } of sink.received) {
        const epoch = `${source.id} ${source.epoch}`;
        expect(message.token).toBeGreaterThan(last.get(epoch) ?? -1);
        last.set(epoch, message.token);
      }
    }
  }, 60_000);
});
