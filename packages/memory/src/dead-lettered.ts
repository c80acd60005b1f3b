import type { Headers } from "@waybill/core";
import type { Envelope } from "@waybill/core/transport";
import { textHeaders } from "./checked-publisher.ts";

/** A message that a group gave up on, as it stands in the group's dead letters. */
export interface DeadLettered {
  readonly id: string;
  readonly type: string | undefined;
  readonly key: string | undefined;
  /** Those that it was published with. */
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Code or name, and message, of the last error. */
  readonly error: string;
  /** Handler calls in all. */
  readonly attempts: number;
  readonly failedAt: Date;
}

export function toDeadLettered({ attributes, key, body, headers: all }: Envelope): DeadLettered {
  const headers = textHeaders(all);
  const own = Object.entries(headers).filter(([name]) => !name.startsWith("waybill-"));
  return {
    id: attributes.id ?? "",
    type: attributes.type,
    key: key && Buffer.from(key).toString(),
    headers: Object.fromEntries(own),
    body: body ?? new Uint8Array(),
    error: headers["waybill-error"] ?? "",
    attempts: Number(headers["waybill-attempts"] ?? 0),
    failedAt: new Date(headers["waybill-failed-at"] ?? Number.NaN),
  };
}
