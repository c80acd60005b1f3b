import { describe, expect, inject, test } from "vitest";
import { connect, consumeSpec, publish, RecordingSink, topicSpec } from "./driver.ts";

const { url = "", skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`topics${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("are made with their partitions, by several at once, and listed without what stands beside them", async () => {
    const topic = topicSpec({ partitions: 3, retention: 3_600_000, groups: ["g", "h"] });
    const connections = [connect({ url }), connect({ url }), connect({ url })];
    const made = await Promise.all(connections.map((connection) => connection.provision(topic, "create", {})));
    expect(made).toEqual(connections.map(() => ({ partitions: 3, drift: [] })));
    const listed = (await connections[0]?.admin.topics()) ?? [];
    expect(listed.filter(({ name }) => name.startsWith(topic.name))).toEqual([{ name: topic.name, partitions: 3 }]);
    expect(listed.filter(({ name }) => name.startsWith("__"))).toEqual([]);
  });

  test("that exist with other settings are taken as they are, and the difference is told", async () => {
    const topic = topicSpec({ partitions: 3, retention: 3_600_000 });
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    const other = { ...topic, partitions: 5, retention: 60_000, groups: ["g"] };
    expect(await connection.provision(other, "create", {})).toEqual({
      partitions: 3,
      drift: [
        { what: "partitions", declared: "5", live: "3" },
        { what: "retention.ms", declared: "60000", live: "3600000" },
      ],
    });
    // What stands beside follows the live count.
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(other), sink).ready;
    expect(sink.owned.size).toBe(6);
  });

  test("that are missing are refused by check and by off, with what is missing", async () => {
    const topic = topicSpec();
    const connection = connect({ url });
    for (const mode of ["check", "off"] as const) {
      await expect(connection.provision(topic, mode, {})).rejects.toMatchObject({
        code: "WAYBILL_TOPIC_NOT_FOUND",
        topic: topic.name,
      });
    }
    await connection.provision(topic, "create", {});
    await expect(connection.provision({ ...topic, groups: ["g"] }, "check", {})).rejects.toThrow(`${topic.name}.g.dlq`);
    expect(await connection.provision({ ...topic, groups: ["g"] }, "off", {})).toEqual({ partitions: 2, drift: [] });
  });

  test("are consumed under off without what stands beside them", async () => {
    const topic = topicSpec();
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    const sink = new RecordingSink();
    await connection.consume(consumeSpec(topic, { provision: "off" }), sink).ready;
    await publish(connection, topic, ["1"]);
    await sink.until(() => sink.received.length === 1);
    expect([...sink.owned.keys()].sort()).toEqual([`${topic.name}/0`, `${topic.name}/1`]);
  });

  test("tell their groups, with the members that consume now, and not those of a topic with a longer name", async () => {
    const topic = topicSpec({ groups: ["idle"] });
    const longer = { ...topic, name: `${topic.name}.more` };
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    await connection.consume(consumeSpec(topic, { group: "busy" }), new RecordingSink()).ready;
    await connection.consume(consumeSpec(longer, { group: "other" }), new RecordingSink()).ready;
    expect(await connection.admin.groups(topic.name)).toEqual([
      { group: "busy", members: 1 },
      { group: "idle", members: 0 },
    ]);
  });

  test("are deleted with their groups and what stands beside them; a missing one is no error", async () => {
    const topic = topicSpec({ groups: ["g"] });
    const longer = { ...topic, name: `${topic.name}.more` };
    const connection = connect({ url });
    await connection.provision(topic, "create", {});
    await connection.provision(longer, "create", {});
    await publish(connection, topic, ["1"]);
    const sink = new RecordingSink();
    const consumer = connection.consume(consumeSpec(topic), sink);
    await sink.until(() => sink.received.length === 1);
    await sink.settleAll();
    await consumer.close({ deadline: Date.now() + 5_000 });
    await connection.admin.deleteTopic(topic.name);
    await connection.admin.deleteTopic(topic.name);
    await expect.poll(() => connection.admin.groups(topic.name)).toEqual([]);
    const left = (await connection.admin.topics()).map(({ name }) => name).filter((name) => name.startsWith(topic.name));
    expect(left).toEqual([longer.name]);
    expect(await connection.admin.groups(longer.name)).toEqual([{ group: "g", members: 0 }]);
  });

  test("wait for a broker until the caller gives up", async () => {
    const connection = connect({ brokers: ["127.0.0.1:1"] });
    const reason = new Error("enough");
    await expect(connection.provision(topicSpec(), "create", { signal: AbortSignal.timeout(300) })).rejects.toThrow(/timeout/);
    const aborter = new AbortController();
    const ready = connection.ready({ signal: aborter.signal });
    aborter.abort(reason);
    await expect(ready).rejects.toBe(reason);
    expect(connection.health()).toMatchObject({ status: "down", problems: [expect.stringContaining("ECONNREFUSED")] });
  });
});
