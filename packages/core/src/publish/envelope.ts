import type { Message } from "../message.ts";
import type { Envelope } from "../transport.ts";

/** A message in its encoded form, with its CloudEvents 1.0 attributes. */
export function toEnvelope(message: Message, body: Uint8Array, contentType: string): Envelope {
  const attributes: Record<string, string> = {
    id: message.id,
    source: message.source,
    type: message.type,
    time: message.timestamp.toISOString(),
  };
  if (message.correlationId !== undefined) attributes.correlationid = message.correlationId;
  if (message.causationId !== undefined) attributes.causationid = message.causationId;
  return {
    attributes,
    contentType,
    key: message.key === undefined ? undefined : Buffer.from(message.key),
    body,
    timestamp: message.timestamp.getTime(),
    headers: Object.entries(message.headers),
  };
}
