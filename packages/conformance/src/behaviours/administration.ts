import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import { itemsOf, publishAll } from "../items.ts";

export const administration: Behaviour = {
  name: "administration",
  checks: [
    {
      name: "topics are listed with their partitions, groups with their members",
      async run(lab) {
        const stream = lab.stream({ partitions: 3, groups: ["declared"] });
        const [bus, other] = [await lab.bus(), await lab.bus()];
        await bus.subscribe(stream, { group: "busy" }, () => undefined);
        await other.subscribe(stream, { group: "busy" }, () => undefined);
        const topics = await bus.admin.topics();
        assert.deepEqual(
          topics.filter(({ name }) => name.startsWith(stream.name)),
          [{ name: stream.name, partitions: 3 }],
        );
        const groups = await bus.admin.groups(stream);
        assert.equal(groups.find(({ group }) => group === "busy")?.members, 2);
      },
    },
    {
      name: "a topic that was deleted begins anew",
      async run(lab) {
        const stream = lab.stream({ groups: ["conformance"] });
        const [bus, other] = [await lab.bus(), await lab.bus()];
        await publishAll(bus, stream, itemsOf(["k"], 3));
        await bus.admin.deleteTopic(stream);
        await bus.admin.deleteTopic(stream);
        const topics = await bus.admin.topics();
        assert.deepEqual(
          topics.filter(({ name }) => name === stream.name),
          [],
        );
        const got: number[] = [];
        await other.subscribe(stream, ({ payload }) => got.push(payload.n));
        await other.publish(stream, { key: "k", n: 7 });
        await lab.until(
          () => got.length > 0,
          () => "the first message of the new topic",
        );
        assert.deepEqual(got, [7]);
      },
    },
    {
      name: 'with provision: "check", a topic that is missing rejects with TOPIC_NOT_FOUND, and one that is there is taken',
      async run(lab) {
        const stream = lab.stream({ groups: ["conformance"] });
        const [maker, checker] = [await lab.bus(), await lab.bus({ provision: "check" })];
        await assert.rejects(checker.ready({ topics: [stream] }), { code: "WAYBILL_TOPIC_NOT_FOUND" });
        await maker.ready({ topics: [stream] });
        await checker.ready({ topics: [stream] });
        await checker.publish(stream, { key: "k", n: 0 });
      },
    },
    {
      name: "a bus that works is up, one that was closed is not",
      async run(lab) {
        const stream = lab.stream();
        const bus = await lab.bus();
        await bus.subscribe(stream, () => undefined);
        await bus.publish(stream, { key: "k", n: 0 });
        assert.equal((await bus.health()).status, "up", (await bus.health()).problems.join(" "));
        await bus.close();
        assert.equal((await bus.health()).status, "down");
      },
    },
  ],
};
