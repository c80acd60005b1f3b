import { isUtf8 } from "node:buffer";
import type { Envelope, Header, Incoming } from "@waybill/core/transport";
import type { ConsumeMessage, Options } from "amqplib";

/**
 * CloudEvents has no binding for AMQP 0-9-1. Ours follows the one for AMQP 1.0: attributes are headers named `cloudEvents:<name>`
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md, 3.1.3). The key is the extension attribute
 * `partitionkey`. The properties that other clients look at are set besides.
 */
const PREFIX = "cloudEvents:";
const VERSION = `${PREFIX}specversion`;
const KEY = `${PREFIX}partitionkey`;

/** Properties that have no place in an envelope travel in it as headers of these names, which users cannot set, and become properties again. */
const CARRIED = new Map<string, "contentEncoding" | "replyTo" | "priority" | "messageId" | "type" | "correlationId" | "appId">([
  ["x-amqp-content-encoding", "contentEncoding"],
  ["x-amqp-reply-to", "replyTo"],
  ["x-amqp-priority", "priority"],
  ["x-amqp-message-id", "messageId"],
  ["x-amqp-type", "type"],
  ["x-amqp-correlation-id", "correlationId"],
  ["x-amqp-app-id", "appId"],
]);

/** The last four, which a message of ours has as attributes. */
const ALSO_ATTRIBUTES = new Set(["messageId", "type", "correlationId", "appId"]);

/** RabbitMQ takes these two as more routing keys, whoever set them, and refuses strings; under these names they are only headers. */
const DISARMED = new Map([
  ["CC", "x-amqp-cc"],
  ["BCC", "x-amqp-bcc"],
]);
const ARMED = new Map([...DISARMED].map(([armed, disarmed]) => [disarmed, armed]));

/** The broker's own account of what it did with a message: not the publisher's, and wrong on a copy. */
const BROKERS_OWN = /^x-(delivery-count|acquired-count|death|(first|last)-death-\w+)$/;

const EMPTY = Buffer.alloc(0);

/** amqplib leaves out what is undefined, though its types do not say so. */
export type Properties = { -readonly [name in keyof Options.Publish]: Options.Publish[name] | undefined };

/** What amqplib is given beside the body. A header that AMQP cannot carry makes amqplib throw. */
export function toProperties(envelope: Envelope): Properties {
  const { attributes } = envelope;
  // Without a prototype, so that any name is only a name.
  const headers: Record<string, unknown> = Object.create(null);
  let ours = false;
  for (const name in attributes) {
    headers[PREFIX + name] = attributes[name];
    ours = true;
  }
  if (ours) headers[VERSION] = "1.0";
  if (envelope.key) headers[KEY] = isUtf8(envelope.key) ? toBuffer(envelope.key).toString() : toBuffer(envelope.key);
  const properties: Properties = {
    persistent: true,
    headers,
    contentType: short(envelope.contentType),
    timestamp: Math.floor(envelope.timestamp / 1_000),
    messageId: short(attributes.id),
    type: short(attributes.type),
    correlationId: short(attributes.correlationid),
    appId: short(attributes.source),
  };
  for (const [name, value] of envelope.headers) {
    if (name.startsWith("x-amqp-") && CARRIED.has(name)) Object.assign(properties, { [CARRIED.get(name) as string]: value });
    else headers[DISARMED.get(name) ?? name] = value instanceof Uint8Array ? toBuffer(value) : value;
  }
  return properties;
}

/** The body as amqplib wants it. RabbitMQ has no tombstones: `null` is an empty body. */
export function toContent(body: Uint8Array | null): Buffer {
  return body === null ? EMPTY : toBuffer(body);
}

/** A delivery as core takes it. Never throws, whatever a foreign publisher sent. */
export function toIncoming(message: ConsumeMessage): Incoming {
  const { properties, fields } = message;
  const attributes: Record<string, string> = {};
  const headers: Header[] = [];
  let key: Uint8Array | undefined;
  let ours = false;
  let count = 0;
  for (const name in properties.headers) {
    const value: unknown = properties.headers[name];
    if (name === KEY && (typeof value === "string" || Buffer.isBuffer(value))) key = Buffer.from(value as string);
    else if (name === VERSION) ours = true;
    else if (name.startsWith(PREFIX) && typeof value === "string") attributes[name.slice(PREFIX.length)] = value;
    else if (name === "x-delivery-count" && typeof value === "number") count = value;
    else if (!(name.startsWith("x-") && BROKERS_OWN.test(name))) headers.push([ARMED.get(name) ?? name, detached(value)]);
  }
  for (const [name, property] of CARRIED) {
    const value: unknown = properties[property];
    if (value !== undefined && !(ours && ALSO_ATTRIBUTES.has(property))) headers.push([name, value]);
  }
  message.content = detachedBytes(message.content);
  return {
    attributes,
    contentType: properties.contentType as string | undefined,
    key,
    body: message.content,
    timestamp: timestampOf(attributes.time, properties.timestamp),
    headers,
    token: fields.deliveryTag,
    position: undefined,
    redelivered: fields.redelivered || count > 0,
    native: message,
  };
}

/** The property counts in seconds; the attribute is exact. */
function timestampOf(time: string | undefined, seconds: unknown): number {
  const exact = time === undefined ? Number.NaN : Date.parse(time);
  if (!Number.isNaN(exact)) return exact;
  return typeof seconds === "number" ? seconds * 1_000 : Date.now();
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Properties are strings of up to 255 bytes; the attribute has the whole value. */
function short(value: string | undefined): string | undefined {
  return value === undefined || (value.length > 80 && Buffer.byteLength(value) > 255) ? undefined : value;
}

/** amqplib gives slices of what it read from the socket, 64 KiB that would live as long as one small message in it. */
function detachedBytes(bytes: Buffer): Buffer {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

function detached(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Buffer.isBuffer(value)) return detachedBytes(value);
  if (Array.isArray(value)) return value.map(detached);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, detached(inner)]));
}
