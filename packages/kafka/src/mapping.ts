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
/** That it had no body: to a compacted topic a record without one is the removal of a letter. */
const NO_BODY = "waybill-no-body";
/** The time of a foreign message on a copy, whose record has the time of its own writing. */
const ORIGINAL_TIME = "waybill-timestamp";

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
  const foreign = envelope.attributes.time === undefined;
  if (foreign && kind !== "topic") headers.push([ORIGINAL_TIME, String(envelope.timestamp)]);
  const timestamp = foreign && kind === "topic" ? Math.min(envelope.timestamp, now) : now;
  const record = { key: envelope.key ?? null, value: envelope.body, timestamp, headers };
  return kind === "dead" ? deadRecord(envelope, record) : record;
}

/** Dead letters stand in a compacted topic: two of one key must not become one, so each is keyed by its own id. */
function deadRecord({ headers }: Envelope, { key, value, timestamp, headers: encoded }: NewRecord): NewRecord {
  const id = headers.findLast(([name]) => name === DEAD_LETTER_ID)?.[1];
  const own = typeof id === "string" ? id : randomUUID();
  const kept = encoded.filter(([name]) => name !== ORIGINAL_KEY && name !== NO_BODY && name !== DEAD_LETTER_ID);
  const original: NewRecord["headers"] = key === null ? [] : [[ORIGINAL_KEY, key]];
  const noBody: NewRecord["headers"] = value === null ? [[NO_BODY, "true"]] : [];
  return {
    key: utf8.encode(own),
    value: value ?? new Uint8Array(),
    timestamp,
    headers: [...kept, [DEAD_LETTER_ID, own], ...original, ...noBody],
  };
}

/** What removes a dead letter: compaction takes both. */
export function toTombstone(key: Uint8Array, now: number): NewRecord {
  return { key, value: null, timestamp: now, headers: [] };
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
  const original = originalOf(record, headers);
  return {
    attributes,
    contentType,
    ...original,
    timestamp: timeOf(attributes.time) ?? original.timestamp,
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

/** What a message was before it became a copy. */
function originalOf(record: FetchedRecord, headers: Header[]): Pick<Incoming, "key" | "body" | "timestamp" | "headers"> {
  const time = Number(headers.find(([name]) => name === ORIGINAL_TIME)?.[1] ?? Number.NaN);
  const timestamp = Number.isNaN(time) ? record.timestamp : time;
  const id = headers.find(([name]) => name === DEAD_LETTER_ID)?.[1];
  if (record.key === null || typeof id !== "string" || id !== decodeHeader(record.key)) {
    const kept = headers.filter(([name]) => name !== ORIGINAL_TIME);
    return { key: record.key ?? undefined, body: record.value, timestamp, headers: kept };
  }
  const key = record.headers.find(([name]) => name === ORIGINAL_KEY)?.[1] ?? undefined;
  const body = headers.some(([name]) => name === NO_BODY) ? null : record.value;
  const ours = [ORIGINAL_KEY, ORIGINAL_TIME, NO_BODY];
  return { key, body, timestamp, headers: headers.filter(([name]) => !ours.includes(name)) };
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
