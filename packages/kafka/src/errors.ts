import { type ErrorCode, toError, WaybillError } from "@waybill/core/transport";
import { EngineError, type EngineErrorKind } from "./engine.ts";

const CODES: Readonly<Record<EngineErrorKind, ErrorCode>> = {
  connection: "WAYBILL_CONNECTION_FAILED",
  busy: "WAYBILL_CONNECTION_FAILED",
  poisoned: "WAYBILL_CONNECTION_FAILED",
  certificate: "WAYBILL_CONNECTION_FAILED",
  authentication: "WAYBILL_AUTHENTICATION_FAILED",
  authorization: "WAYBILL_NOT_AUTHORIZED",
  "unknown-topic": "WAYBILL_TOPIC_NOT_FOUND",
  "too-large": "WAYBILL_MESSAGE_TOO_LARGE",
  refused: "WAYBILL_CONFIG_INVALID",
};

const HINTS: Partial<Readonly<Record<EngineErrorKind, string>>> = {
  authentication: "Check the user, the password and the SASL mechanism.",
  certificate: "Check `tls`: the authority, the host name, and whether the port speaks TLS at all.",
  authorization: "Grant the operation, or provision the topic with other rights.",
  "unknown-topic": "Create it, or let provisioning create it.",
};

/** An error of the engine in the words of Waybill: what was tried, and the broker's own reason. */
export function toWaybillError(
  error: unknown,
  what: string,
  at: { readonly topic?: string; readonly group?: string } = {},
): WaybillError {
  return translate(error, what, at, CODES);
}

/** The same for what a publish met. */
export function toPublishError(error: unknown, topic: string): WaybillError {
  return translate(error, `Publishing to ${topic} failed`, { topic }, { ...CODES, refused: "WAYBILL_PUBLISH_REFUSED" });
}

function translate(error: unknown, what: string, at: object, codes: typeof CODES): WaybillError {
  if (error instanceof WaybillError) return error;
  const known = error instanceof EngineError ? error : new EngineError("refused", toError(error).message);
  const hint = HINTS[known.kind];
  return new WaybillError(codes[known.kind], `${what}: ${sentence(known.message)}`, {
    ...at,
    hint,
    retryable: known.retriable,
    cause: error,
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
