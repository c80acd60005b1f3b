import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cureRecords, encodeRecord, type RawRecord } from "../src/kafkajs/records.ts";

const load = createRequire(import.meta.url);
const original: (record: RawRecord) => { readonly buffer: Buffer } = load("kafkajs/src/protocol/recordBatch/record/v0");

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const content = fc.oneof(bytes, fc.string({ unit: "binary", maxLength: 300 }), fc.constant("x".repeat(20_000)));
const record: fc.Arbitrary<RawRecord> = fc.record(
  {
    key: fc.option(content),
    value: fc.option(content),
    headers: fc.dictionary(fc.string(), fc.oneof(content, fc.array(content, { maxLength: 3 })), { maxKeys: 8 }),
    offsetDelta: fc.nat(100_000),
    timestampDelta: fc.oneof(
      fc.integer(),
      fc.maxSafeInteger().map((value) => Math.trunc(value / 2)),
    ),
  },
  { requiredKeys: ["key", "value"] },
);

test("a record has the very bytes that kafkajs itself would write", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(encodeRecord(one).buffer.toString("hex")).toBe(original(one).buffer.toString("hex"));
    }),
  );
});

test("kafkajs finds it in place of its own", () => {
  cureRecords();
  expect(load("kafkajs/src/protocol/recordBatch/record/v0")).toBe(encodeRecord);
});
