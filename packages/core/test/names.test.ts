import { describe, expect, test } from "vitest";
import { checkGroupName, checkTopicName, confusable } from "../src/names.ts";

describe("the name of a topic", () => {
  test.each(["a", "shop.orders", "Shop-Orders_2", "v1.2-orders", "a".repeat(150)])("%s is taken", (name) => {
    expect(() => checkTopicName(name)).not.toThrow();
  });

  test.each([
    "",
    " ",
    "a b",
    "a/b",
    "a#",
    "a*b",
    "größe",
    "注文",
    "a\n",
    ".",
    "..",
    ".a",
    "a.",
    "a..b",
    "a".repeat(151),
    "shop.orders.dlq",
    "shop.orders.retry",
    "shop.orders.delay",
    "shop.orders.park",
    "shop.orders.4",
    "shop.orders.p4",
    undefined,
    null,
    7,
  ])("%j is refused, with the reason", (name) => {
    expect(() => checkTopicName(name)).toThrow(
      expect.objectContaining({
        code: "WAYBILL_TOPIC_INVALID",
        message: expect.stringContaining(JSON.stringify(name) ?? "undefined"),
        retryable: false,
      }),
    );
  });
});

describe("the name of a group", () => {
  test.each(["billing", "Billing_2", "a-b", "7", "g".repeat(64)])("%s is taken", (name) => {
    expect(() => checkGroupName(name)).not.toThrow();
  });

  test.each(["", "a.b", "a b", "a/b", "größe", "g".repeat(65), "dlq", "retry", "delay", "park", undefined, 7])(
    "%j is refused",
    (name) => {
      expect(() => checkGroupName(name)).toThrow(expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID" }));
    },
  );
});

test("names that differ only in dots and underscores are confusable, others are not", () => {
  expect(confusable("a.b_c")).toBe(confusable("a_b.c"));
  expect(confusable("a-b")).not.toBe(confusable("a.b"));
});
