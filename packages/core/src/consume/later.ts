import type { Envelope, Header, Incoming } from "../transport.ts";
import type { Entry } from "./entry.ts";

/** Headers that Waybill writes on copies. Users cannot set them, and no copy inherits them. */
export function isOurs(header: string): boolean {
  return header.startsWith("waybill-");
}

/** How far a message had come when it was put aside; a message that was not begins at nothing. */
export function progressOf(incoming: Incoming): { readonly before: number; readonly level: number } {
  let before = 0;
  let level = 0;
  for (const [name, value] of incoming.headers) {
    if (name === "waybill-later-attempts") before = Number(value);
    else if (name === "waybill-later-level") level = Number(value);
  }
  // A foreign publisher may have written anything.
  return { before: Number.isInteger(before) ? before : 0, level: Number.isInteger(level) ? level : 0 };
}

/** The message as it goes to a delayed destination: with the count of its attempts, and where it stood at first. */
export function delayed(entry: Entry, next: number): Envelope {
  const { incoming, attempts, window } = entry;
  const { attributes, contentType, key, body, timestamp, headers } = incoming;
  const original = headers.filter(([name]) => name === "waybill-position" || name === "waybill-partition");
  const stood: Header[] =
    original.length > 0
      ? original
      : [
          ["waybill-partition", String(window.source.partition)],
          ["waybill-position", incoming.position ?? ""],
        ];
  return {
    attributes,
    contentType,
    key,
    body,
    timestamp,
    headers: [
      ...headers.filter(([name]) => !isOurs(name)),
      ...stood,
      ["waybill-later-attempts", String(attempts)],
      ["waybill-later-level", String(next)],
    ],
  };
}
