/** Where kafkajs stands in the bytes of one record. */
interface Decoder {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** What kafkajs knows of the batch that a record is in. Numbers that JavaScript may not hold are in decimal. */
interface BatchContext {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly maxTimestamp?: string;
  readonly magicByte: number;
  readonly isControlBatch?: boolean;
  /** 1: the broker's time of writing, which is that of the batch. */
  readonly timestampType?: number;
}

/** A record as the rest of kafkajs, and its users, have it. */
export interface DecodedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | null | (Buffer | null)[]>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

const LOG_APPEND_TIME = 1;

/** A record of https://kafka.apache.org/documentation/#record, as kafkajs's own decoder gives it, without its 64-bit arithmetic and its copies. */
export function decodeRecord({ buffer, offset }: Decoder, batchContext: BatchContext): DecodedRecord {
  const { firstOffset, firstTimestamp, magicByte, isControlBatch = false, timestampType, maxTimestamp } = batchContext;
  const reader = new Reader(buffer, offset);
  const attributes = reader.byte();
  const timestampDelta = reader.integer();
  const offsetDelta = reader.integer();
  const key = reader.bytes();
  const value = reader.bytes();
  const appended = timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined;
  return {
    magicByte,
    attributes,
    timestamp: appended ? maxTimestamp : String(Number(firstTimestamp) + timestampDelta),
    offset: String(Number(firstOffset) + offsetDelta),
    key,
    value,
    headers: reader.headers(),
    isControlRecord: isControlBatch,
    batchContext,
  };
}

class Reader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  byte(): number {
    return this.#buffer.readInt8(this.#at++);
  }

  /** In groups of seven bits, the sign in the lowest. Exact as far as JavaScript's numbers are. */
  integer(): number {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = this.#buffer[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.integer();
    if (length < 0) return null;
    const from = this.#at;
    this.#at += length;
    return this.#buffer.subarray(from, this.#at);
  }

  #string(): string {
    const length = this.integer();
    const from = this.#at;
    this.#at += length;
    return this.#buffer.toString("utf8", from, this.#at);
  }

  /** Of several with one name, all. */
  headers(): DecodedRecord["headers"] {
    const headers: DecodedRecord["headers"] = {};
    for (let left = this.integer(); left > 0; left--) {
      const name = this.#string();
      const value = this.bytes();
      const other = Object.hasOwn(headers, name) ? headers[name] : undefined;
      const next = other === undefined ? value : Array.isArray(other) ? [...other, value] : [other, value];
      // A header may have any name.
      if (name !== "__proto__") headers[name] = next;
      else Object.defineProperty(headers, name, { value: next, enumerable: true, writable: true, configurable: true });
    }
    return headers;
  }
}
