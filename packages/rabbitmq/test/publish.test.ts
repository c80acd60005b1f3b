import { describe, expect, test } from "vitest";
import { brokers, envelope, Member, native, Recorder, soon, topicSpec } from "./driver.ts";

describe.each(brokers)("publishing to $name", ({ url = "", skip }) => {
  test.skipIf(skip)("a message that no queue takes is refused for good, alone, unless the topic lets it drop", async () => {
    const topic = topicSpec();
    await using member = new Member(url);
    await member.connection.provision(topic, "create", {});
    expect(await member.publish(topic, 0, envelope("a"))).toMatchObject([
      { stored: false, retry: false, error: { code: "WAYBILL_UNROUTABLE" } },
    ]);
    expect(await member.publish({ ...topic, unrouted: "drop" }, 0, envelope("b"))).toMatchObject([{ stored: true }]);
    await member.connection.admin.deleteTopic(topic.name);
  });

  test.skipIf(skip)("what is too large, or has more headers than a frame holds, is refused alone", async () => {
    const topic = topicSpec({ groups: ["readers"] });
    await using member = new Member(url);
    await member.connection.provision(topic, "create", {});
    const large = envelope("large", { body: Buffer.alloc(1_048_577) });
    const headers = envelope("headers", { headers: [["much", "x".repeat(70_000)]] });
    expect(await member.publish(topic, 0, envelope("a"), large, headers, envelope("b"))).toMatchObject([
      { stored: true },
      { stored: false, retry: false, error: { code: "WAYBILL_MESSAGE_TOO_LARGE" } },
      { stored: false, retry: false, error: { code: "WAYBILL_MESSAGE_TOO_LARGE" } },
      { stored: true },
    ]);
    await member.connection.admin.deleteTopic(topic.name);
  });

  test.skipIf(skip)("a publisher that declares another number of partitions is refused with the live one", async () => {
    const topic = topicSpec({ partitions: 2 });
    await using member = new Member(url);
    await member.connection.provision(topic, "create", {});
    for (const mode of ["create", "check"] as const) {
      await expect(member.connection.provision({ ...topic, partitions: 3 }, mode, {})).rejects.toMatchObject({
        code: "WAYBILL_TOPIC_MISMATCH",
        message: expect.stringContaining("has 2 partitions"),
      });
    }
    await member.connection.admin.deleteTopic(topic.name);
  });

  test.skipIf(skip)("an exchange that was deleted is declared again, with the bindings of its groups", async () => {
    const topic = topicSpec({ groups: ["readers"] });
    await using member = new Member(url);
    await member.connection.provision(topic, "create", {});
    await using other = await native(url);
    await (await other.createChannel()).deleteExchange(topic.name);
    expect(await member.publish(topic, 0, envelope("a"))).toMatchObject([{ stored: "unknown", retry: true }]);
    expect(await member.publish(topic, 0, envelope("a"))).toMatchObject([{ stored: true }]);
    await member.connection.admin.deleteTopic(topic.name);
  });

  test.skipIf(skip)("a delay brings a message back to its own group alone, and not before its time", async () => {
    const topic = topicSpec();
    await using member = new Member(url);
    const [mine, theirs] = [new Recorder(), new Recorder()];
    await member.consume(topic, mine).ready;
    await member.consume(topic, theirs, { group: "others" }).ready;
    const before = Date.now();
    const copies = member.connection.publisher("copy");
    const to = { kind: "delay", topic, partition: 1, group: "readers", ms: 300 } as const;
    expect(await copies.publish(to, [envelope("later")], { deadline: soon() })).toMatchObject([{ stored: true }]);
    await member.publish(topic, 1, envelope("now"));
    await mine.until(() => mine.messages.length === 2);
    expect(mine.bodies.toSorted()).toEqual(["later", "now"]);
    expect(Date.now() - before).toBeGreaterThanOrEqual(300);
    expect(theirs.bodies).toEqual(["now"]);
    await member[Symbol.asyncDispose]();
    await using cleaner = new Member(url);
    await cleaner.connection.admin.deleteTopic(topic.name);
  });
});
