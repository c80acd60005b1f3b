import { EngineError, type EngineErrorKind } from "../engine.ts";

/** What kafkajs's errors have, or some of them. */
interface Traits {
  readonly name?: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly message?: string;
  readonly retriable?: boolean;
  readonly errors?: readonly unknown[];
}

const TYPES: Readonly<Record<string, EngineErrorKind>> = {
  TOPIC_AUTHORIZATION_FAILED: "authorization",
  GROUP_AUTHORIZATION_FAILED: "authorization",
  CLUSTER_AUTHORIZATION_FAILED: "authorization",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "authorization",
  SASL_AUTHENTICATION_FAILED: "authentication",
  UNSUPPORTED_SASL_MECHANISM: "authentication",
  ILLEGAL_SASL_STATE: "authentication",
  UNKNOWN_TOPIC_OR_PARTITION: "unknown-topic",
  MESSAGE_TOO_LARGE: "too-large",
  RECORD_LIST_TOO_LARGE: "too-large",
  UNKNOWN_PRODUCER_ID: "poisoned",
  OUT_OF_ORDER_SEQUENCE_NUMBER: "poisoned",
  INVALID_PRODUCER_EPOCH: "poisoned",
  INVALID_PRODUCER_ID_MAPPING: "poisoned",
  INVALID_TIMESTAMP: "refused",
  INVALID_RECORD: "refused",
  INVALID_CONFIG: "refused",
  INVALID_REPLICATION_FACTOR: "refused",
  INVALID_PARTITIONS: "refused",
  INVALID_TOPIC_EXCEPTION: "refused",
  POLICY_VIOLATION: "refused",
  INVALID_SESSION_TIMEOUT: "refused",
  INCONSISTENT_GROUP_PROTOCOL: "refused",
};

/** Node's TLS codes, and OpenSSL's: what a certificate or a port that speaks something else gives. */
const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_)/;

/** An error and its causes, the outermost first: even `KafkaJSNonRetriableError` may hold an ECONNREFUSED. */
function* chain(error: unknown): Generator<Traits> {
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  for (let next = queue.shift(); next !== undefined && next !== null && !seen.has(next); next = queue.shift()) {
    seen.add(next);
    const traits = next as Traits & { readonly cause?: unknown };
    yield traits;
    queue.push(...(traits.errors ?? []), traits.cause);
  }
}

/** The types of the broker's answer in an error, whichever of its causes holds it. */
export function brokerTypes(error: unknown): string[] {
  return [...chain(error)].flatMap(({ type }) => (type === undefined ? [] : [type]));
}

/** A kafkajs error as the engine's: its kind, found in it or in its causes, and the reason in its own words. */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  let reason: string | undefined;
  for (const traits of chain(error)) {
    reason ??= traits.message;
    const kind = kindOf(traits);
    if (kind !== undefined) return new EngineError(kind, traits.message ?? String(error), error);
  }
  return new EngineError("busy", reason ?? String(error), error);
}

function kindOf({ name, type, code, message = "", retriable }: Traits): EngineErrorKind | undefined {
  if (name === "KafkaJSSASLAuthenticationError") {
    // A connection that went while it authenticated has the same name.
    return /closed|not connected|timed out|timeout/i.test(message) ? "connection" : "authentication";
  }
  if (type !== undefined && TYPES[type] !== undefined) return TYPES[type];
  if (typeof code === "string" && CERTIFICATE.test(code)) return "certificate";
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return "connection";
  if (name === "KafkaJSConnectionError" || name === "KafkaJSConnectionClosedError" || name === "KafkaJSRequestTimeoutError")
    return "connection";
  if (type !== undefined) return retriable ? "busy" : "refused";
  return undefined;
}
