import assert from "node:assert/strict";
import { type ErrorCode, topic, type unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrivedOnce } from "../items.ts";
import type { Item } from "../lab.ts";

/** Refuses what has no number. */
const item: ReturnType<typeof unchecked<Item>> = {
  "~standard": {
    version: 1,
    vendor: "conformance",
    validate: (value) =>
      typeof (value as Item).n === "number" ? { value: value as Item } : { issues: [{ message: "not a number", path: ["n"] }] },
  },
};

export const badInput: Behaviour = {
  name: "bad input",
  checks: [
    {
      name: "what is not valid is refused before anything is sent",
      async run(lab) {
        const stream = topic(lab.name(), { partitions: 1, schema: item, key: ({ payload }) => payload.key });
        const bus = await lab.bus();
        const got: Item[] = [];
        await bus.subscribe(stream, ({ payload }) => got.push(payload));
        const good = { key: "k", n: 0 };
        const header = (name: string, value: unknown) => bus.publish(stream, good, { headers: { [name]: value as string } });
        for (const name of ["waybill-attempts", "ce_id", "cloudEvents:id", "content-type"]) {
          await refused(header(name, "x"), "WAYBILL_HEADERS_INVALID", name);
        }
        for (const value of [1, null, {}, Buffer.from("x")])
          await refused(header("tenant", value), "WAYBILL_HEADERS_INVALID", typeof value);
        await refused(bus.publish(stream, { ...good, n: "one" as unknown as number }), "WAYBILL_PAYLOAD_INVALID", "the payload");
        await refused(bus.publish(stream, { ...good, key: "" }), "WAYBILL_KEY_INVALID", "the key");
        const many = bus.publishMany(stream, [{ payload: good }, { payload: { ...good, n: undefined as unknown as number } }]);
        await refused(many, "WAYBILL_PAYLOAD_INVALID", "one payload of many");
        await arrivedOnce(lab, bus, stream, got, []);
      },
    },
    {
      name: "names that some broker could not take are refused on every transport",
      async run(lab) {
        for (const name of ["", "with space", "ümlaut", "a/b", "x".repeat(151), "a..b", "orders.dlq", "orders.retry"]) {
          assert.throws(() => topic(name), { code: "WAYBILL_TOPIC_INVALID" }, name);
        }
        const [bus, stream] = [await lab.bus(), lab.stream()];
        for (const group of ["", "a.b", "with space", "x".repeat(65), "dlq"]) {
          await refused(
            bus.subscribe(stream, { group }, () => undefined),
            "WAYBILL_CONFIG_INVALID",
            group,
          );
        }
        const dotted = lab.stream({ name: lab.name("a.b"), groups: ["some"] });
        const underscored = lab.stream({ name: dotted.name.replace(".", "_"), groups: ["some"] });
        await bus.publish(dotted, { key: "k", n: 0 });
        await refused(bus.publish(underscored, { key: "k", n: 0 }), "WAYBILL_TOPIC_CONFLICT", underscored.name);
      },
    },
    {
      name: "a second subscription of the same bus to the same topic and group is refused",
      async run(lab) {
        const [bus, stream] = [await lab.bus(), lab.stream()];
        await bus.subscribe(stream, () => undefined);
        await refused(
          bus.subscribe(stream, () => undefined),
          "WAYBILL_SUBSCRIPTION_EXISTS",
          "the second",
        );
      },
    },
  ],
};

function refused(call: Promise<unknown>, code: ErrorCode, what: string): Promise<void> {
  return assert.rejects(call, { code }, `${what} was not refused with ${code}`);
}
