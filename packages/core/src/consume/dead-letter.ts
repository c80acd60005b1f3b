import { toError, WaybillError } from "../errors.ts";
import type { Envelope, Header } from "../transport.ts";
import type { Entry } from "./entry.ts";
import { isOurs } from "./later.ts";

const STACK_MAX = 8 * 1_024;
const REPORT_MAX = 2 * 1_024;

/**
 * The message as it goes to `<topic>.<group>.dlq`: the original bytes, key and headers, and why it is there. Its id is made from where the original
 * stands, so that one that is written again after a crash is the same dead letter.
 */
export function deadLetter(entry: Entry, topic: string, group: string, error: unknown, now: number): Envelope {
  const { incoming, window, attempts } = entry;
  const { id, partition } = window.source;
  const { name, message, stack } = toError(error);
  const code = error instanceof WaybillError ? error.code : name;
  const where = incoming.position ?? `${incoming.attributes.source ?? ""}/${incoming.attributes.id ?? incoming.token}`;
  const diagnosis: Header[] = [
    ["waybill-dead-letter-id", `${group}/${id}/${where}`],
    ["waybill-error", cut(`${code}: ${message}`, REPORT_MAX)],
    ["waybill-error-stack", cut(stack ?? "", STACK_MAX)],
    ["waybill-attempts", String(attempts)],
    ["waybill-failed-at", new Date(now).toISOString()],
    ["waybill-topic", topic],
    ["waybill-partition", String(partition)],
    ["waybill-position", incoming.position ?? ""],
    ["waybill-group", group],
  ];
  const { attributes, contentType, key, body, timestamp, headers } = incoming;
  return {
    attributes,
    contentType,
    key,
    body,
    timestamp,
    headers: [...headers.filter(([header]) => !isOurs(header)), ...diagnosis],
  };
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
