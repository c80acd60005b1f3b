import { randomUUID } from "node:crypto";
import {
  bindAttributes,
  type Destination,
  type Envelope,
  type Header,
  type Incoming,
  unbindAttributes,
} from "@waybill/core/transport";
import type { FetchedRecord, NewRecord } from "./engine.ts";

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md#32-binary-content-mode */
const PREFIX = "ce_";
const CONTENT_TYPE = "content-type";
/** Set by core on a dead letter: what makes it one of its own. */
const DEAD_LETTER_ID = "waybill-dead-letter-id";
/** The key of the message that became a dead letter. */
const ORIGINAL_KEY = "waybill-key";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/**
 * An envelope as a record of `kind`, written `now`. The record's own time is that of writing, because retention counts from it: a message about
 * something long ago would be dropped at once, and brokers refuse what is dated ahead. The message's time travels as CloudEvents' `time`.
 */
export function toRecord(envelope: Envelope, kind: Destination["kind"], now: number): NewRecord {
  const headers = bindAttributes(PREFIX, envelope.attributes).map(encodeHeader);
  if (envelope.contentType !== undefined) headers.push([CONTENT_TYPE, envelope.contentType]);
  for (const header of envelope.headers) headers.push(encodeHeader(header));
  const timestamp = envelope.attributes.time === undefined ? Math.min(envelope.timestamp, now) : now;
  const record = { value: envelope.body, timestamp, headers };
  return kind === "dead" ? { ...record, ...deadKey(envelope, headers) } : { ...record, key: envelope.key ?? null };
}

/** Dead letters stand in a compacted topic: two of one key must not become one, so each is keyed by its own id. */
function deadKey({ key, headers }: Envelope, encoded: NewRecord["headers"]): Pick<NewRecord, "key" | "headers"> {
  const id = headers.findLast(([name]) => name === DEAD_LETTER_ID)?.[1];
  const own = typeof id === "string" ? id : randomUUID();
  const kept = encoded.filter(([name]) => name !== ORIGINAL_KEY && name !== DEAD_LETTER_ID);
  const original: NewRecord["headers"] = key === undefined ? [] : [[ORIGINAL_KEY, key]];
  return { key: utf8.encode(own), headers: [...kept, [DEAD_LETTER_ID, own], ...original] };
}

/** A record as core takes it. `position` names where it stands. */
export function fromRecord(record: FetchedRecord, position: string): Incoming {
  const all: Header[] = [];
  let contentType: string | undefined;
  for (const [name, bytes] of record.headers) {
    const value = decodeHeader(bytes);
    if (name === CONTENT_TYPE && typeof value === "string") contentType ??= value;
    else all.push([name, value]);
  }
  const { attributes, headers } = unbindAttributes(PREFIX, all);
  return {
    attributes,
    contentType,
    ...originalKey(record, headers),
    body: record.value,
    timestamp: timeOf(attributes.time) ?? record.timestamp,
    token: record.offset,
    position,
    redelivered: false,
    native: record.native,
  };
}

function timeOf(time: string | undefined): number | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The inverse of {@link deadKey}. */
function originalKey({ key, headers: raw }: FetchedRecord, headers: Header[]): Pick<Incoming, "key" | "headers"> {
  const id = headers.find(([name]) => name === DEAD_LETTER_ID)?.[1];
  if (key === null || typeof id !== "string" || id !== decodeHeader(key)) return { key: key ?? undefined, headers };
  const original = raw.find(([name]) => name === ORIGINAL_KEY)?.[1];
  return { key: original ?? undefined, headers: headers.filter(([name]) => name !== ORIGINAL_KEY) };
}

/** A header that is no text stays bytes. */
function decodeHeader(bytes: Uint8Array | null): string | Uint8Array | null {
  if (bytes === null) return null;
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

/** kafkajs cannot write a header without a value: one is written empty. What only another broker has (numbers, booleans) becomes text. */
function encodeHeader([name, value]: Header): [string, string | Uint8Array] {
  if (typeof value === "string" || value instanceof Uint8Array) return [name, value];
  if (value === null || value === undefined) return [name, ""];
  return [name, typeof value === "object" ? JSON.stringify(value) : String(value)];
}

/** An upper bound of what a record takes in a batch: https://kafka.apache.org/documentation/#record */
export function sizeOf(record: NewRecord): number {
  let bytes = 32 + (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
  for (const [name, value] of record.headers) {
    bytes += 10 + Buffer.byteLength(name) + (typeof value === "string" ? Buffer.byteLength(value) : value.byteLength);
  }
  return bytes;
}
