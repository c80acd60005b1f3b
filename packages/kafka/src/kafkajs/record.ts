import type { KafkaMessage } from "kafkajs";
import type { FetchedRecord } from "../engine.ts";

/** A message of kafkajs as the engine's record. */
export function toRecord(message: KafkaMessage): FetchedRecord {
  const headers: [string, Uint8Array | null][] = [];
  for (const [name, values] of Object.entries(message.headers ?? {})) {
    for (const value of Array.isArray(values) ? values : [values]) {
      headers.push([name, typeof value === "string" ? Buffer.from(value) : (value ?? null)]);
    }
  }
  return {
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    timestamp: Number(message.timestamp),
    headers,
    native: message,
  };
}
