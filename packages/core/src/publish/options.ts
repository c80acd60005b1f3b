import { WaybillError } from "../errors.ts";
import type { Headers } from "../message.ts";
import { toMilliseconds } from "../units.ts";

/** Of all names and values of one message's headers, in bytes of UTF-8: leaves room for what a dead letter adds to them on every broker. */
const HEADERS_MAX = 32 * 1_024;
/** AMQP 0-9-1 short strings: header names, and ids as message properties. */
const SHORT_MAX = 255;

/** A token of RFC 9110, 5.6.2: names that every broker, and HTTP beyond it, can carry. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What Waybill, CloudEvents and W3C Trace Context write. */
const OURS = /^(?:waybill-|ce_|cloudevents:|(?:content-type|traceparent|tracestate)$)/i;

/**
 * What RabbitMQ writes to headers or acts upon. Only these `x-` names are refused, because applications have their own (`x-tenant`). `CC` and
 * `BCC` copy a message to other routes (https://www.rabbitmq.com/docs/sender-selected).
 */
const BROKERS =
  /^(?:CC|BCC|x-(?:death|delay|delivery-count|acquired-count|received-from|shovelled)|x-(?:first-death|last-death|stream|opt)-.*)$/;

const NONE: Headers = Object.freeze({});

/** The headers to send, without those that are `undefined`. Throws `HEADERS_INVALID`, listing every problem. */
export function checkHeaders(topic: string, headers: Readonly<Record<string, unknown>> | undefined): Headers {
  if (headers === undefined) return NONE;
  const checked: Record<string, string> = {};
  const problems: string[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const problem = nameProblem(name);
    if (problem !== undefined) problems.push(`${JSON.stringify(name)} ${problem}`);
    else if (typeof value !== "string") problems.push(`"${name}" is ${value === null ? "null" : typeof value}, not a string`);
    else {
      checked[name] = value;
      bytes += name.length + Buffer.byteLength(value);
    }
  }
  if (bytes > HEADERS_MAX) problems.push(`together they have ${bytes} bytes, more than ${HEADERS_MAX}`);
  if (problems.length === 0) return checked;
  throw new WaybillError(
    "WAYBILL_HEADERS_INVALID",
    `The headers of a message to topic "${topic}" are not valid: ${problems.join("; ")}.`,
    {
      topic,
    },
  );
}

function nameProblem(name: string): string | undefined {
  if (OURS.test(name) || BROKERS.test(name)) return "is reserved";
  if (!TOKEN.test(name)) return "is no name of a header (letters, digits and !#$%&'*+-.^_`|~)";
  if (name.length > SHORT_MAX) return `is longer than ${SHORT_MAX} characters`;
  return undefined;
}

/** `value` if it can be an id on every broker. Throws `CONFIG_INVALID`. */
export function checkId(option: "id" | "correlationId", value: unknown): string {
  if (typeof value === "string" && /^[^\p{C}]+$/u.test(value) && Buffer.byteLength(value) <= SHORT_MAX) return value;
  throw invalid(option, value, `1 to ${SHORT_MAX} bytes of printable characters`);
}

/** The latest instant that RFC 3339 can write. */
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

/** `value` if every broker can carry it. Throws `CONFIG_INVALID`. */
export function checkTimestamp(value: unknown): Date {
  if (value instanceof Date && value.getTime() >= 0 && value.getTime() <= LATEST) return value;
  throw invalid("timestamp", value, "a valid Date from 1970 to 9999");
}

/** Milliseconds. Throws `CONFIG_INVALID`. */
export function checkTimeout(value: unknown): number {
  const ms = toMilliseconds(value);
  if (ms !== undefined) return ms;
  throw invalid("timeout", value, 'a duration such as "30s"');
}

function invalid(option: string, value: unknown, expected: string): WaybillError {
  const given = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
  return new WaybillError("WAYBILL_CONFIG_INVALID", `The publish option "${option}" is ${given}, not ${expected}.`);
}
