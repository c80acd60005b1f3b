import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Receipt } from "./publisher.ts";
import type { Duration } from "./units.ts";

/** The stable codes of {@link WaybillError}: match on these, never on messages. */
export type ErrorCode = `WAYBILL_${
  | "CONFIG_INVALID"
  | "TRANSPORT_MISSING"
  | "TOPIC_INVALID"
  | "TOPIC_CONFLICT"
  | "TOPIC_MISMATCH"
  | "TOPIC_NOT_FOUND"
  | "UNSUPPORTED"
  | "CONNECTION_FAILED"
  | "AUTHENTICATION_FAILED"
  | "NOT_AUTHORIZED"
  | "PAYLOAD_INVALID"
  | "ENCODE_FAILED"
  | "DECODE_FAILED"
  | "TYPE_UNKNOWN"
  | "KEY_INVALID"
  | "HEADERS_INVALID"
  | "MESSAGE_TOO_LARGE"
  | "UNROUTABLE"
  | "PUBLISH_TIMEOUT"
  | "PUBLISH_REFUSED"
  | "PUBLISH_INCOMPLETE"
  | "HANDLER_TIMEOUT"
  | "DEAD_LETTER_NOT_FOUND"
  | "SUBSCRIPTION_EXISTS"
  | "GROUP_ACTIVE"
  | "USED_LATE"
  | "CLOSED"
  | "CLOSE_TIMEOUT"
  | "CLOSE_IN_HANDLER"}`;

/** What a {@link WaybillError} carries beside its message. */
export interface ErrorDetails {
  readonly topic?: string | undefined;
  readonly group?: string | undefined;
  /** What to do about it, in one sentence. Appended to the message. */
  readonly hint?: string | undefined;
  /** @default false */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/** Every error that Waybill throws, rejects with or reports: what happened, where, and what to do. Secrets never appear in one. */
export class WaybillError extends Error {
  override readonly name: string = "WaybillError";
  readonly code: ErrorCode;
  declare readonly topic?: string;
  declare readonly group?: string;
  declare readonly hint?: string;
  /** The same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(
      details.hint === undefined ? message : `${message} ${details.hint}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.code = code;
    this.retryable = details.retryable ?? false;
    if (details.topic !== undefined) this.topic = details.topic;
    if (details.group !== undefined) this.group = details.group;
    if (details.hint !== undefined) this.hint = details.hint;
  }
}

/** A payload that its schema refuses, with the schema's own issues. Nothing was sent. */
export class PayloadInvalidError extends WaybillError {
  override readonly name = "PayloadInvalidError";
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(message: string, issues: readonly StandardSchemaV1.Issue[], details: ErrorDetails = {}) {
    super("WAYBILL_PAYLOAD_INVALID", message, details);
    this.issues = issues;
  }
}

/** A need that the transport's capabilities do not meet. */
export class UnsupportedError extends WaybillError {
  override readonly name = "UnsupportedError";
  /** The capability that is missing, as {@link Capabilities} names it. */
  readonly capability: string;

  constructor(capability: string, message: string, details: ErrorDetails = {}) {
    super("WAYBILL_UNSUPPORTED", message, details);
    this.capability = capability;
  }
}

/** Some messages of a `publishMany` were not stored; `outcomes` has one entry a message, in order. */
export class PublishManyError extends WaybillError {
  override readonly name = "PublishManyError";
  readonly outcomes: readonly (Receipt | WaybillError)[];

  constructor(message: string, outcomes: readonly (Receipt | WaybillError)[], details: ErrorDetails = {}) {
    super("WAYBILL_PUBLISH_INCOMPLETE", message, details);
    this.outcomes = outcomes;
  }
}

/** A publish whose time ran out. */
export class PublishTimeoutError extends WaybillError {
  override readonly name = "PublishTimeoutError";
  /** Whether the message may still stand in the topic: `"unknown"` once it was handed to the broker, else `"no"`. */
  readonly stored: "no" | "unknown";

  constructor(stored: "no" | "unknown", message: string, details: ErrorDetails = {}) {
    super("WAYBILL_PUBLISH_TIMEOUT", message, { retryable: true, ...details });
    this.stored = stored;
  }
}

/** Thrown in a handler: no more attempts, the message goes to the group's dead letters. */
export class DeadLetter extends Error {
  override readonly name = "DeadLetter";

  constructor(reason: string, options?: { readonly cause?: unknown }) {
    super(reason, options);
  }
}

/**
 * Thrown in a handler: again after `after`. `counts: false` spends no attempt (a dependency is down, the message is not bad).
 * On a keyed topic the message waits in place and later ones of its key wait behind it.
 */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly after: Duration;
  /** @default true */
  readonly counts: boolean;

  constructor(options: { readonly after: Duration; readonly counts?: boolean; readonly cause?: unknown }) {
    super(`again after ${options.after}`, options.cause === undefined ? {} : { cause: options.cause });
    this.after = options.after;
    this.counts = options.counts ?? true;
  }
}

/** `value` as an Error: what a handler threw may be anything, `undefined` included. */
export function toError(value: unknown): Error {
  return value instanceof Error
    ? value
    : new Error(value === undefined ? "undefined was thrown" : String(value), { cause: value });
}
