import { describe, expect, test } from "vitest";
import { z } from "zod";
import { keyOf, topic, unchecked } from "../src/topic.ts";

const order = z.object({ orderId: z.string() });

describe("a topic", () => {
  test("of several events has a schema for each", () => {
    const orders = topic("shop.orders", { events: { "order.placed": order, "order.cancelled": order }, partitions: 12 });
    expect(orders).toMatchObject({ name: "shop.orders", form: "events", options: { partitions: 12 } });
    expect(Object.keys(orders.schemas)).toEqual(["order.placed", "order.cancelled"]);
  });

  test("of one schema has it under its own name, and of none takes anything", () => {
    expect(topic("invoices", { schema: order })).toMatchObject({ form: "single", schemas: { invoices: order } });
    expect(topic("anything").schemas.anything?.["~standard"].validate({ any: "thing" })).toEqual({ value: { any: "thing" } });
  });

  test("cannot be changed", () => {
    const made = topic("shop.orders", { schema: order });
    for (const part of [made, made.schemas, made.options]) expect(Object.isFrozen(part)).toBe(true);
  });

  test("has a key function where it promises order", () => {
    const keyed = topic("shop.orders", { schema: order, key: ({ payload }) => payload.orderId });
    expect(keyOf(keyed)?.({ type: "shop.orders", payload: { orderId: "o-1" } })).toBe("o-1");
    expect(keyOf(topic("shop.other", { schema: order }))).toBeUndefined();
  });

  test("takes schemas that are functions, as some libraries have them", () => {
    const callable = Object.assign(() => true, unchecked<string>());
    expect(topic("callable", { schema: callable }).schemas.callable).toBe(callable);
  });
});

describe("what a topic refuses, named in its error", () => {
  test.each<[string, object, RegExp]>([
    ["an unknown option", { partition: 3 }, /"partition"/],
    ["schema beside events", { schema: order, events: { a: order } }, /"schema" and "events"/],
    ["a schema that is none", { schema: { parse: () => 1 } }, /"schema" is not a Standard Schema/],
    ["an event without a schema", { events: { "order.placed": undefined } }, /"order\.placed"/],
    ["no events at all", { events: {} }, /"events" is empty/],
    ["an event name that no header can carry", { events: { "größe ": order } }, /"größe "/],
    ["a key that is no function", { key: "orderId" }, /"key"/],
    ["half a partition", { partitions: 1.5 }, /"partitions" is 1\.5/],
    ["no partitions", { partitions: 0 }, /"partitions" is 0/],
    ["too many partitions", { partitions: 1_001 }, /"partitions" is 1001/],
    ["partitions as text", { partitions: "4" }, /"partitions"/],
    ["a retention without unit", { retention: "7" }, /"retention" is "7"/],
    ["a retention of nothing", { retention: 0 }, /"retention" is 0/],
    ["groups that are no list", { groups: "billing" }, /"groups"/],
    ["another way with the unrouted", { unrouted: "keep" }, /"unrouted"/],
    ["half a codec", { codec: { contentType: "text/plain", encode: () => Buffer.alloc(0) } }, /"codec"/],
  ])("%s", (_, definition, named) => {
    expect(() => topic("shop.orders", definition)).toThrow(
      expect.objectContaining({ code: "WAYBILL_TOPIC_INVALID", topic: "shop.orders", message: expect.stringMatching(named) }),
    );
  });

  test("all problems stand in one error", () => {
    const definition = { partitions: 0, retention: "soon", unrouted: "keep" };
    // @ts-expect-error: what JavaScript may pass
    expect(() => topic("shop.orders", definition)).toThrow(/partitions.*retention.*unrouted/);
  });

  test("a group that could not stand in the names of brokers", () => {
    expect(() => topic("shop.orders", { groups: ["billing", "a.b"] })).toThrow(
      expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID", message: expect.stringContaining('"a.b"') }),
    );
  });

  test("a name that a broker could not take", () => {
    expect(() => topic("shop orders")).toThrow(expect.objectContaining({ code: "WAYBILL_TOPIC_INVALID" }));
  });
});
