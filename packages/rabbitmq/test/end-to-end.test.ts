import { describe, expect, test } from "vitest";
import { brokers, envelope, Member, Recorder, topicSpec } from "./driver.ts";

describe.each(brokers)("on $name", ({ url = "", skip }) => {
  test.skipIf(skip)("what is published reaches the group whole, in order, and is gone once settled", async () => {
    const topic = topicSpec();
    await using member = new Member(url);
    const seen = new Recorder();
    await member.consume(topic, seen).ready;

    const sent = ["a", "b", "c"].map((id) =>
      envelope(id, {
        headers: [
          ["tenant", "acme"],
          ["näme", "✓"],
        ],
      }),
    );
    expect(await member.publish(topic, 1, ...sent)).toEqual(sent.map(() => ({ stored: true, position: undefined })));
    await seen.until(() => seen.messages.length === 3);
    for (const [index, message] of seen.messages.entries()) {
      // 4.x sorts headers.
      const headers = expect.toSatisfy((got: unknown[]) => got.length === 2) as never;
      expect(message).toMatchObject({ ...sent[index], headers });
      expect(new Map(message.headers)).toEqual(new Map(sent[index]?.headers));
    }
    expect(seen.messages.map(({ token }) => token)).toEqual([1, 2, 3]);

    await using later = new Member(url);
    const again = new Recorder();
    await member[Symbol.asyncDispose]();
    await later.consume(topic, again).ready;
    await later.publish(topic, 1, envelope("d"));
    await again.until(() => again.messages.length > 0);
    expect(again.bodies).toEqual(["d"]);
    // Who consumes would declare again what is deleted under it.
    await later[Symbol.asyncDispose]();
    await using cleaner = new Member(url);
    await cleaner.connection.admin.deleteTopic(topic.name);
    expect((await cleaner.connection.admin.topics()).map(({ name }) => name)).not.toContain(topic.name);
  });
});
