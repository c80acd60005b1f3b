import { toError, WaybillError } from "@waybill/core/transport";

/** AMQP 0-9-1 reply codes that mean something to us. */
export const REPLY = { accessRefused: 403, notFound: 404, resourceLocked: 405, preconditionFailed: 406 } as const;

/** The broker's reply code that an error of amqplib carries. */
export function replyCode(error: unknown): number | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** What became of an attempt to connect. */
export interface ConnectFailure {
  readonly error: WaybillError;
  /** Trying again cannot help. */
  readonly fatal: boolean;
}

/** `host` is `name:port`, without credentials. `before`: this link has been connected once. */
export function connectFailure(cause: unknown, host: string, before: boolean): ConnectFailure {
  const reason = toError(cause).message;
  const certificate = certificateProblem(cause);
  if (certificate) {
    return fatal("WAYBILL_CONNECTION_FAILED", `The certificate check with RabbitMQ at ${host} failed: ${reason}.`, cause, {
      hint: 'Set "tls.ca" to the authority that signed the broker\'s certificate, and "tls.cert" and "tls.key" where it asks for one.',
    });
  }
  if (/ACCESS.REFUSED|\b403\b/.test(reason)) {
    return fatal("WAYBILL_AUTHENTICATION_FAILED", `RabbitMQ at ${host} refused the credentials: ${reason}`, cause);
  }
  if (/SASL mechanism/.test(reason)) {
    return fatal("WAYBILL_AUTHENTICATION_FAILED", `RabbitMQ at ${host} cannot be logged in to: ${reason}.`, cause);
  }
  // amqplib drops the reason that the broker gives here; a broker that is starting may do it too, so only the first time counts.
  if (!before && /Expected ConnectionOpenOk; got <ConnectionClose/.test(reason)) {
    return fatal("WAYBILL_AUTHENTICATION_FAILED", `RabbitMQ at ${host} let the user in but not into the virtual host.`, cause, {
      hint: "Either the virtual host does not exist, or the user has no permissions in it.",
    });
  }
  const error = new WaybillError("WAYBILL_CONNECTION_FAILED", `RabbitMQ at ${host} cannot be reached: ${reason}.`, {
    retryable: true,
    cause,
  });
  return { error, fatal: false };
}

function fatal(
  code: "WAYBILL_CONNECTION_FAILED" | "WAYBILL_AUTHENTICATION_FAILED",
  message: string,
  cause: unknown,
  details: { readonly hint?: string } = {},
): ConnectFailure {
  return { error: new WaybillError(code, message, { ...details, retryable: false, cause }), fatal: true };
}

/** OpenSSL's and Node's codes of certificates that are untrusted, expired, for another name, missing or refused by the broker. */
function certificateProblem(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return /CERT|^ERR_SSL|^ERR_OSSL|^ERR_TLS|SELF_SIGNED|^UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)|HOSTNAME_MISMATCH/.test(code);
}

/** An error of a declaration, a check or a subscription in words of Waybill; errors that already are pass. */
export function operationError(cause: unknown, what: string, details: { topic?: string; group?: string } = {}): WaybillError {
  if (cause instanceof WaybillError) return cause;
  const reason = toError(cause).message;
  switch (replyCode(cause)) {
    case REPLY.accessRefused:
      return new WaybillError("WAYBILL_NOT_AUTHORIZED", `${what}: RabbitMQ does not permit it: ${reason}.`, {
        ...details,
        hint: "Grant the user of this application the permission that the reason names.",
        cause,
      });
    case REPLY.notFound:
      return new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `${what}: ${reason}.`, {
        ...details,
        hint: 'Create it first, or let the bus do so with provision: "create".',
        cause,
      });
    case REPLY.preconditionFailed:
      return new WaybillError("WAYBILL_TOPIC_MISMATCH", `${what}: what stands on the broker differs: ${reason}.`, {
        ...details,
        cause,
      });
    default:
      return new WaybillError("WAYBILL_CONNECTION_FAILED", `${what}: ${reason}.`, { ...details, retryable: true, cause });
  }
}

/** What a closed transport answers. */
export function closedError(): WaybillError {
  return new WaybillError("WAYBILL_CLOSED", "The connection to RabbitMQ was closed by its bus.");
}
