import { describe, expect, test } from "vitest";
import { bindAttributes, unbindAttributes, weigh } from "../src/binding.ts";
import type { Envelope } from "../src/transport.ts";

describe("CloudEvents attributes as headers", () => {
  test("go and come back, apart from the other headers", () => {
    const attributes = { id: "1", source: "shop", type: "order.placed", correlationid: "c" };
    const bound = bindAttributes("ce_", attributes);
    expect(bound).toContainEqual(["ce_type", "order.placed"]);
    expect(bound).toContainEqual(["ce_specversion", "1.0"]);
    expect(unbindAttributes("ce_", [["a", "1"], ...bound, ["a", "2"]])).toEqual({
      attributes,
      headers: [
        ["a", "1"],
        ["a", "2"],
      ],
    });
  });

  test("are not made up for a message of a foreign publisher", () => {
    expect(bindAttributes("ce_", {})).toEqual([]);
  });

  test("that are no strings stay what they were", () => {
    const bytes = new Uint8Array([0, 255]);
    expect(unbindAttributes("ce_", [["ce_id", bytes]])).toEqual({ attributes: {}, headers: [["ce_id", bytes]] });
  });

  test("may have any name without touching the prototype", () => {
    const { attributes } = unbindAttributes("ce_", [["ce___proto__", "x"]]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
  });
});

test("an envelope weighs at least its body, key, attributes and headers", () => {
  const envelope: Envelope = {
    attributes: { id: "12345" },
    contentType: undefined,
    key: Buffer.alloc(10),
    body: Buffer.alloc(1_000),
    timestamp: 0,
    headers: [
      ["name", "ü".repeat(50)],
      ["bytes", new Uint8Array(200)],
      ["number", 7],
    ],
  };
  expect(weigh(envelope)).toBeGreaterThan(1_000 + 10 + 5 + 100 + 200);
  expect(weigh({ ...envelope, body: null })).toBe(weigh(envelope) - 1_000);
});
