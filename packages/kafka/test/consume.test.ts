import { describe, expect, inject, test } from "vitest";
import { connect, consumeSpec, publish, RecordingSink, topicSpec } from "./driver.ts";

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
});
