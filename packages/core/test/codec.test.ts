import { describe, expect, test } from "vitest";
import { json } from "../src/codec.ts";

const context = { topic: "t", type: "t" };

describe("the JSON codec", () => {
  test.each([[{ a: [1, "ü", null, true] }], ["text"], [0], [false], [null], [[]]])("takes %j there and back", async (payload) => {
    expect(json.decode(await json.encode(payload, context), context)).toEqual(payload);
  });

  test("writes UTF-8", async () => {
    expect(Buffer.from(await json.encode("東京", context)).toString("utf8")).toBe('"東京"');
  });

  test.each([[undefined], [() => 1], [Symbol("s")]])("refuses what JSON has no form for: %s", (payload) => {
    expect(() => json.encode(payload, context)).toThrow(TypeError);
  });

  test("refuses what JSON cannot hold", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => json.encode(circle, context)).toThrow();
    expect(() => json.encode(1n, context)).toThrow();
  });

  test("decodes an empty body to undefined, and refuses what is no JSON or no UTF-8", () => {
    expect(json.decode(new Uint8Array(), context)).toBeUndefined();
    expect(() => json.decode(Buffer.from("{"), context)).toThrow(SyntaxError);
    expect(() => json.decode(new Uint8Array([0x22, 0xff, 0x22]), context)).toThrow(TypeError);
  });
});
