import { createRequire } from "node:module";
import { decodeRecord } from "./record-decoder.ts";
import { encodeRecord } from "./record-encoder.ts";

let cured = false;

/**
 * kafkajs makes a buffer of 512 bytes for every record and for every header of it that it writes, and an object for every header that it reads, which
 * is most of what publishing and consuming costs. In place of its own stand {@link encodeRecord} and {@link decodeRecord}, which write and read the
 * same bytes. They take effect for what the process has not done yet: kafkajs loads its requests when it first needs them.
 */
export function cureRecords(): void {
  if (cured) return;
  cured = true;
  replace("kafkajs/src/protocol/recordBatch/record/v0/index.js", encodeRecord);
  replace("kafkajs/src/protocol/recordBatch/record/v0/decoder.js", decodeRecord);
}

function replace(file: string, by: unknown): void {
  const load = createRequire(import.meta.url);
  const path = load.resolve(file);
  load(path);
  const module = load.cache[path];
  if (module !== undefined) module.exports = by;
}
