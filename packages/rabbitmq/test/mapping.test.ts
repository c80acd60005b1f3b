import type { Envelope } from "@waybill/core/transport";
import type { ConsumeMessage } from "amqplib";
import { describe, expect, test } from "vitest";
import { toContent, toIncoming, toProperties } from "../src/mapping.ts";
import { routingKey } from "../src/names.ts";
import { envelope } from "./driver.ts";

/** What would be delivered for these properties. */
function delivered(properties: object, content: Buffer = Buffer.from("1")): ConsumeMessage {
  return { content, properties, fields: { deliveryTag: 7, redelivered: false } } as unknown as ConsumeMessage;
}

const roundTrip = (sent: Envelope) => toIncoming(delivered(toProperties(sent), toContent(sent.body)));

describe("mapping", () => {
  test("an envelope comes back as it was sent", () => {
    const sent = envelope("a", {
      key: Buffer.from("ключ"),
      headers: [
        ["tenant", "acme"],
        ["empty", ""],
        ["CC", "not a route"],
      ],
    });
    expect(roundTrip(sent)).toMatchObject(sent);
  });

  test("a key that is no text comes back as bytes", () => {
    expect(roundTrip(envelope("a", { key: Buffer.from([0xff, 0x00, 0xfe]) })).key).toEqual(Buffer.from([0xff, 0x00, 0xfe]));
  });

  test("CC never reaches the broker as a route", () => {
    expect(toProperties(envelope("a", { headers: [["CC", ["queue"]]] })).headers).not.toHaveProperty("CC");
  });

  test("a foreign message has no attributes and keeps its properties and header types on a copy", () => {
    const foreign = {
      headers: { n: 5, at: { "!": "timestamp", value: 9 }, bytes: Buffer.from([1]) },
      messageId: "m",
      type: "t",
      replyTo: "q",
      priority: 3,
      timestamp: 5,
    };
    const incoming = toIncoming(delivered(foreign));
    expect(incoming).toMatchObject({ attributes: {}, key: undefined, timestamp: 5_000 });
    expect(toProperties(incoming)).toMatchObject(foreign);
  });

  test("the broker's own account of deliveries is no header, but says that a message is redelivered", () => {
    const incoming = toIncoming(
      delivered({ headers: { "x-delivery-count": 2, "x-death": [], "x-first-death-queue": "q", mine: "1" } }),
    );
    expect(incoming.headers).toEqual([["mine", "1"]]);
    expect(incoming.redelivered).toBe(true);
  });

  test("a small body does not keep the whole read of the socket alive", () => {
    const read = Buffer.allocUnsafeSlow(65_536);
    const incoming = toIncoming(delivered({ headers: {} }, read.subarray(10, 20)));
    expect(incoming.body?.buffer).not.toBe(read.buffer);
    expect((incoming.native as ConsumeMessage).content.buffer).not.toBe(read.buffer);
  });

  test("a type that is too long for a routing key is left out of it", () => {
    expect(routingKey(3, "order.placed")).toBe("3.order.placed");
    expect(routingKey(3, "ü".repeat(200))).toBe("3");
    expect(routingKey(3, undefined)).toBe("3");
  });
});
