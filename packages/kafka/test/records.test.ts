import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecord } from "../src/kafkajs/record-decoder.ts";
import { encodeRecord, type RawRecord } from "../src/kafkajs/record-encoder.ts";
import { cureRecords } from "../src/kafkajs/records.ts";

const load = createRequire(import.meta.url);
const original = {
  encode: load("kafkajs/src/protocol/recordBatch/record/v0") as (record: RawRecord) => { readonly buffer: Buffer },
  decode: load("kafkajs/src/protocol/recordBatch/record/v0/decoder") as typeof decodeRecord,
};
const Decoder: new (bytes: Buffer) => Parameters<typeof decodeRecord>[0] = load("kafkajs/src/protocol/decoder");

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const content = fc.oneof(bytes, fc.string({ unit: "binary", maxLength: 300 }), fc.constant("x".repeat(20_000)));
/** kafkajs takes what every object inherits (`valueOf`) for another header of that name. */
const name = fc.string().filter((one) => !(one in {}));
const record: fc.Arbitrary<RawRecord> = fc.record(
  {
    key: fc.option(content),
    value: fc.option(content),
    headers: fc.dictionary(name, fc.oneof(content, fc.array(content, { maxLength: 3 })), { maxKeys: 8 }),
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
      expect(encodeRecord(one).buffer.toString("hex")).toBe(original.encode(one).buffer.toString("hex"));
    }),
  );
});

test("a record is read as kafkajs itself would read it", () => {
  const context = fc.record({
    firstOffset: fc.maxSafeNat().map((value) => String(Math.trunc(value / 2))),
    firstTimestamp: fc.nat().map((value) => String(1_700_000_000_000 + value)),
    maxTimestamp: fc.nat().map(String),
    magicByte: fc.constant(2),
    isControlBatch: fc.boolean(),
    timestampType: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(record, context, (one, of) => {
      const { buffer } = original.encode({ ...one, timestampDelta: (one.timestampDelta ?? 0) % 1_000_000 });
      // Its length stands in front, and is read by kafkajs.
      const length = buffer.findIndex((byte) => byte < 0x80) + 1;
      const bytes = () => new Decoder(buffer.subarray(length));
      expect(decodeRecord(bytes(), of)).toEqual(original.decode(bytes(), of));
    }),
  );
});

test("kafkajs finds them in place of its own", () => {
  cureRecords();
  expect(load("kafkajs/src/protocol/recordBatch/record/v0")).toBe(encodeRecord);
  expect(load("kafkajs/src/protocol/recordBatch/record/v0/decoder")).toBe(decodeRecord);
});
