import { describe, expect, test } from "vitest";
import { connect, join, publish, Recorder, spec, transport } from "./driver.ts";

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
});
