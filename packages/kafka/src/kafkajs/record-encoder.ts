/** What kafkajs gives to its encoder of a record. Headers have no `null`: kafkajs cannot write one. */
export interface RawRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[]>>;
}

/** What the rest of kafkajs takes an encoded record to be: it looks at nothing else of its `Encoder`. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** A record of https://kafka.apache.org/documentation/#record */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: RawRecord): EncodedRecord {
  const pairs: [name: string, value: Buffer | string][] = [];
  let headersSize = 0;
  for (const name of Object.keys(headers)) {
    const given = headers[name] as Buffer | string | readonly (Buffer | string)[];
    const nameSize = sizeOf(name);
    for (const one of Array.isArray(given) ? given : [given as Buffer | string]) {
      pairs.push([name, one]);
      headersSize += nameSize + sizeOf(one);
    }
  }
  const delta = zigzag(timestampDelta);
  const body =
    1 + varSize(delta) + varSize(zigzag(offsetDelta)) + sizeOf(key) + sizeOf(value) + varSize(zigzag(pairs.length)) + headersSize;
  const buffer = Buffer.allocUnsafe(varSize(zigzag(body)) + body);
  let at = writeVar(buffer, zigzag(body), 0);
  // No attribute of a record is in use.
  buffer[at++] = 0;
  at = writeVar(buffer, delta, at);
  at = writeVar(buffer, zigzag(offsetDelta), at);
  at = write(buffer, key, at);
  at = write(buffer, value, at);
  at = writeVar(buffer, zigzag(pairs.length), at);
  for (const [name, one] of pairs) at = write(buffer, one, write(buffer, name, at));
  return { buf: buffer, buffer };
}

/** Small numbers of either sign become small ones without. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Of a number in groups of seven bits. */
function varSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function writeVar(buffer: Buffer, value: number, from: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) | 0x80;
  buffer[at++] = rest;
  return at;
}

/** With its length in front. */
function sizeOf(value: Buffer | string | null): number {
  if (value == null) return 1;
  const size = Buffer.byteLength(value);
  return varSize(zigzag(size)) + size;
}

function write(buffer: Buffer, value: Buffer | string | null, from: number): number {
  if (value == null) return writeVar(buffer, zigzag(-1), from);
  const size = Buffer.byteLength(value);
  const at = writeVar(buffer, zigzag(size), from);
  if (typeof value === "string") buffer.write(value, at);
  else value.copy(buffer, at);
  return at + size;
}
