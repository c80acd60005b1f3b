import type { Envelope, Header, Incoming } from "@waybill/core/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FetchedRecord, NewRecord } from "../src/engine.ts";
import { fromRecord, sizeOf, toRecord } from "../src/mapping.ts";
import { envelope } from "./driver.ts";

/** As the broker gives back what was written. */
function stored(record: NewRecord, offset = 7): FetchedRecord {
  const headers = record.headers.map(([name, value]) => [name, Buffer.from(value)] as const);
  return { ...record, headers, offset, native: record };
}

function roundTrip(sent: Envelope, kind: "topic" | "dead" | "group" = "topic"): Incoming {
  return fromRecord(stored(toRecord(sent, kind, NOW)), "7");
}

const NOW = 1_700_000_000_000;
const bytes = (...values: number[]) => new Uint8Array(values);

describe("mapping", () => {
  test("binds attributes as CloudEvents' Kafka binding says", () => {
    const record = toRecord(
      envelope("x", { attributes: { id: "1", source: "/s", type: "t" }, contentType: "text/plain" }),
      "topic",
      NOW,
    );
    expect(Object.fromEntries(record.headers)).toEqual({
      ce_id: "1",
      ce_source: "/s",
      ce_type: "t",
      ce_specversion: "1.0",
      "content-type": "text/plain",
    });
  });

  test("brings back key, body, time, attributes and headers, duplicates included", () => {
    const headers: Header[] = [
      ["a", "1"],
      ["b", "ü"],
      ["a", "2"],
    ];
    const sent = envelope("größe", { key: bytes(0, 255), timestamp: 1_234, headers });
    const { token, position, redelivered, native, ...came } = roundTrip(sent);
    expect({ ...came, key: Uint8Array.from(came.key ?? []) }).toEqual(sent);
    expect({ token, position, redelivered }).toEqual({ token: 7, position: "7", redelivered: false });
    expect(native).toBeDefined();
  });

  test("writes now what is about another time, and gives that time back", () => {
    for (const time of ["2001-02-03T04:05:06.789Z", "2031-02-03T04:05:06.789Z"]) {
      const sent = envelope("x", { attributes: { id: "1", source: "/s", type: "t", time }, timestamp: Date.parse(time) });
      expect(toRecord(sent, "topic", NOW).timestamp).toBe(NOW);
      expect(roundTrip(sent).timestamp).toBe(Date.parse(time));
    }
  });

  test("keeps header bytes that are no text, and decodes those that are", () => {
    const headers = [
      ["text", Buffer.from("ü")],
      ["bytes", bytes(0xff, 0xfe)],
      ["bom", Buffer.from("\ufeffx")],
      ["none", null],
    ] as const;
    const came = fromRecord({ offset: 0, key: null, value: null, timestamp: 0, headers, native: null }, "0");
    expect(came.headers).toEqual([
      ["text", "ü"],
      ["bytes", bytes(0xff, 0xfe)],
      ["bom", "\ufeffx"],
      ["none", null],
    ]);
  });

  test("any header bytes survive a dead letter and back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.uint8Array())), (pairs) => {
        const named = pairs.map(([name, value]) => [`h-${name}`, value] as const);
        const first = fromRecord({ offset: 0, key: null, value: null, timestamp: 0, headers: named, native: null }, "0");
        const again = toRecord(first, "topic", NOW).headers.map(([name, value]) => [name, Uint8Array.from(Buffer.from(value))]);
        expect(again).toEqual(named);
      }),
    );
  });

  test("a message without ce_ headers has no attributes, and becomes none when it is written again", () => {
    const foreign: FetchedRecord = { offset: 3, key: null, value: bytes(1), timestamp: 5, headers: [], native: null };
    const came = fromRecord(foreign, "3");
    expect(came.attributes).toEqual({});
    expect(came.key).toBeUndefined();
    expect(toRecord(came, "topic", NOW).headers).toEqual([]);
  });

  test("a copy is written now, and gives back the time of a message that carries none itself", () => {
    const foreign = envelope("x", { attributes: {}, timestamp: 5 });
    for (const kind of ["dead", "group"] as const) {
      expect(toRecord(foreign, kind, NOW).timestamp).toBe(NOW);
      const { timestamp, headers } = roundTrip(foreign, kind);
      expect(timestamp).toBe(5);
      expect(headers.map(([name]) => name)).toEqual(kind === "dead" ? ["waybill-dead-letter-id"] : []);
    }
  });

  test("a dead letter without a body is no removal of one, and comes back without a body", () => {
    expect(toRecord(envelope("", { body: null }), "dead", NOW).value).not.toBeNull();
    const { body, headers } = roundTrip(envelope("", { body: null }), "dead");
    expect(body).toBeNull();
    expect(headers.map(([name]) => name)).toEqual(["waybill-dead-letter-id"]);
    expect(roundTrip(envelope(""), "dead").body?.byteLength).toBe(0);
  });

  test("a tombstone is a message without a body", () => {
    expect(toRecord(envelope("", { body: null }), "topic", NOW).value).toBeNull();
    expect(roundTrip(envelope("", { body: null })).body).toBeNull();
    expect(roundTrip(envelope("")).body?.byteLength).toBe(0);
  });

  test("dead letters of one key are keyed by their own ids, and have their own key when they are read", () => {
    const key = bytes(1, 2);
    const letters = ["x/0/1", "x/0/2"].map((id) => envelope("x", { key, headers: [["waybill-dead-letter-id", id]] }));
    const records = letters.map((letter) => toRecord(letter, "dead", NOW));
    expect(records.map((record) => Buffer.from(record.key ?? []).toString())).toEqual(["x/0/1", "x/0/2"]);
    const came = fromRecord(stored(records[0] as NewRecord), "7");
    expect(Uint8Array.from(came.key ?? [])).toEqual(key);
    expect(came.headers).toEqual([["waybill-dead-letter-id", "x/0/1"]]);
  });

  test("a dead letter of a message without a key comes back without one", () => {
    const came = roundTrip(envelope("x", { headers: [["waybill-dead-letter-id", "1"]] }), "dead");
    expect(came.key).toBeUndefined();
  });

  test("a dead letter without an id gets one: a compacted topic takes no record without a key", () => {
    const [first, second] = [toRecord(envelope("x"), "dead", NOW), toRecord(envelope("x"), "dead", NOW)];
    expect(first.key?.byteLength).toBeGreaterThan(0);
    expect(first.key).not.toEqual(second.key);
  });

  test("what only another broker has becomes text", () => {
    const headers: Header[] = [
      ["number", 1],
      ["object", { a: 1 }],
      ["none", null],
    ];
    const own = toRecord(envelope("x", { attributes: {}, contentType: undefined, headers }), "topic", NOW).headers;
    expect(own).toEqual([
      ["number", "1"],
      ["object", '{"a":1}'],
      ["none", ""],
    ]);
  });

  test("the size of a record counts bytes, not characters", () => {
    expect(sizeOf(toRecord(envelope("x", { headers: [["h", "ü".repeat(1_000)]] }), "topic", NOW))).toBeGreaterThan(2_000);
  });
});
