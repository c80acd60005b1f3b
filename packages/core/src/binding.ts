import type { Envelope, Header } from "./transport.ts";

/**
 * CloudEvents 1.0 in binary mode: attributes travel as prefixed headers (`ce_` on Kafka, `cloudEvents:` on AMQP), everything else beside them.
 * Used by the `mapping.ts` of adapters.
 */
export function bindAttributes(prefix: string, attributes: Readonly<Record<string, string>>): Header[] {
  const bound: Header[] = [];
  for (const name in attributes) bound.push([prefix + name, attributes[name]]);
  // A message of a foreign publisher stays what it was.
  if (bound.length > 0) bound.push([`${prefix}specversion`, "1.0"]);
  return bound;
}

/** The inverse: attributes apart from the other headers. A prefixed header whose value is no string is left among the headers. */
export function unbindAttributes(
  prefix: string,
  headers: Iterable<Header>,
): Pick<Envelope, "attributes"> & { headers: Header[] } {
  const attributes: Record<string, string> = {};
  const rest: Header[] = [];
  for (const header of headers) {
    const [name, value] = header;
    if (!name.startsWith(prefix) || typeof value !== "string") rest.push(header);
    else if (name !== `${prefix}specversion`) attributes[name.slice(prefix.length)] = value;
  }
  return { attributes, headers: rest };
}

/** What an envelope weighs on the wire, nearly: for bounds by bytes. */
export function weigh(envelope: Envelope): number {
  let bytes = 64 + (envelope.body?.byteLength ?? 0) + (envelope.key?.byteLength ?? 0);
  for (const name in envelope.attributes) bytes += name.length + (envelope.attributes[name]?.length ?? 0) + 8;
  for (const [name, value] of envelope.headers) {
    bytes += name.length + 8;
    if (typeof value === "string") bytes += Buffer.byteLength(value);
    else if (value instanceof Uint8Array) bytes += value.byteLength;
    else bytes += 16;
  }
  return bytes;
}
