import { expect, test } from "vitest";
import { checkHeaders, checkId, checkTimeout, checkTimestamp } from "../../src/publish/options.ts";

test("headers are strings by names that any broker can carry", () => {
  expect(checkHeaders("t", undefined)).toEqual({});
  expect(checkHeaders("t", { "x-tenant": "Müller\n", Accept: "", gone: undefined })).toEqual({
    "x-tenant": "Müller\n",
    Accept: "",
  });
});

test.for([
  ...["waybill-error", "Waybill-x", "ce_id", "cloudEvents:id", "content-type", "Content-Type", "traceparent", "tracestate"],
  ...[
    "x-death",
    "x-first-death-queue",
    "x-last-death-reason",
    "x-delivery-count",
    "x-stream-offset",
    "x-delay",
    "x-opt-y",
    "CC",
    "BCC",
  ],
])("the header %s is reserved", (name) => {
  expect(() => checkHeaders("t", { [name]: "x" })).toThrow(
    expect.objectContaining({ code: "WAYBILL_HEADERS_INVALID", message: expect.stringContaining("is reserved") }),
  );
});

test.for(["", "a b", "größe", "a:b", "n".repeat(256)])("the header name %j is refused", (name) => {
  expect(() => checkHeaders("t", { [name]: "x" })).toThrow(
    expect.objectContaining({ code: "WAYBILL_HEADERS_INVALID", topic: "t" }),
  );
});

test("every problem of headers is listed at once", () => {
  const headers = { ce_id: "x", n: 1, o: null, big: "ü".repeat(20_000) };
  expect(() => checkHeaders("t", headers)).toThrow(
    /"ce_id" is reserved; "n" is number.*; "o" is null.*; together they have 40003 bytes/,
  );
});

test("an id is printable and short enough for every broker", () => {
  expect(checkId("id", "order 1 ✓")).toBe("order 1 ✓");
  for (const id of ["", "a\nb", "x".repeat(256), "ü".repeat(128), 7, null]) {
    expect(() => checkId("correlationId", id)).toThrow(
      expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID", message: expect.stringContaining("correlationId") }),
    );
  }
});

test("a timestamp is one that every broker can carry", () => {
  expect(checkTimestamp(new Date(0))).toEqual(new Date(0));
  for (const timestamp of [new Date(Number.NaN), new Date(-1), new Date(8.64e15), 0, "2026-01-01"]) {
    expect(() => checkTimestamp(timestamp)).toThrow(expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID" }));
  }
});

test("a timeout is a duration", () => {
  expect(checkTimeout("2s")).toBe(2_000);
  expect(() => checkTimeout("soon")).toThrow(expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID" }));
});
