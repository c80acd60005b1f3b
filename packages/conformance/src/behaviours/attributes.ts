import assert from "node:assert/strict";
import type { Delivery } from "@waybill/core";
import { topic, unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";

export const attributes: Behaviour = {
  name: "attributes",
  checks: [
    {
      name: "id, source, type, time and correlation come back as they were given",
      async run(lab) {
        const orders = topic(lab.name("orders"), { partitions: 1, events: { "order.placed": unchecked<{ total: number }>() } });
        const got: Delivery[] = [];
        const bus = await lab.bus({ app: "shop" });
        await bus.subscribe(orders, { group: "billing" }, (delivery) => got.push(delivery));
        const timestamp = new Date("2031-02-03T04:05:06.789Z");
        const options = { id: "order/1 é", timestamp, correlationId: "request 1" };
        const receipt = await bus.publish(orders, "order.placed", { total: 3 }, options);
        await lab.until(
          () => got.length > 0,
          () => "the message",
        );
        const { id, source, type, timestamp: time, correlationId, causationId, topic: name, group, attempt } = got[0] as Delivery;
        assert.equal(receipt.id, options.id);
        assert.deepEqual(
          { id, source, type, time, correlationId, causationId, name, group, attempt },
          {
            ...{ id: options.id, source: "shop", type: "order.placed", time: timestamp },
            ...{ correlationId: "request 1", causationId: undefined, name: orders.name, group: "billing", attempt: 1 },
          },
        );
      },
    },
    {
      name: "a message has an id and a time of its own unless they are given",
      async run(lab) {
        const stream = lab.stream({ partitions: 1 });
        const got: Delivery[] = [];
        const bus = await lab.bus();
        await bus.subscribe(stream, (delivery) => got.push(delivery));
        const before = Date.now();
        const receipts = [await bus.publish(stream, { key: "k", n: 0 }), await bus.publish(stream, { key: "k", n: 1 })];
        const after = Date.now();
        await lab.until(
          () => got.length >= 2,
          () => "two messages",
        );
        assert.deepEqual(
          got.map(({ id }) => id),
          receipts.map(({ id }) => id),
        );
        assert.notEqual(receipts[0]?.id, receipts[1]?.id);
        for (const { timestamp } of got)
          assert.ok(timestamp.getTime() >= before && timestamp.getTime() <= after, `${timestamp} is not now`);
      },
    },
    {
      name: "what a handler publishes carries its correlation, and the id of the message as its cause",
      async run(lab) {
        const [asked, answered] = [lab.stream(), lab.stream()];
        const got: Delivery[] = [];
        const bus = await lab.bus();
        await bus.subscribe(answered, (delivery) => got.push(delivery));
        await bus.subscribe(asked, ({ payload }) => bus.publish(answered, payload));
        const { id } = await bus.publish(asked, { key: "k", n: 0 }, { correlationId: "request 2" });
        await lab.until(
          () => got.length > 0,
          () => "the answer",
        );
        const { correlationId, causationId } = got[0] as Delivery;
        assert.deepEqual({ correlationId, causationId }, { correlationId: "request 2", causationId: id });
      },
    },
  ],
};
