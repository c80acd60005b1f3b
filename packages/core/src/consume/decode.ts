import type { Codec } from "../codec.ts";
import { PayloadInvalidError, toError, WaybillError } from "../errors.ts";
import { describeIssues } from "../issues.ts";
import type { Topic } from "../topic.ts";
import type { Incoming } from "../transport.ts";

/** The event type of a message: its own, or that of a topic that has but one. */
export function typeOf(topic: Topic, incoming: Incoming): string | undefined {
  return incoming.attributes.type ?? (topic.form === "single" ? topic.name : undefined);
}

/** The schema of a type. On a topic with one schema every type has that. */
export function schemaOf(topic: Topic, type: string): Topic["schemas"][string] | undefined {
  if (topic.form === "single") return topic.schemas[topic.name];
  return Object.hasOwn(topic.schemas, type) ? topic.schemas[type] : undefined;
}

/**
 * The payload as a handler gets it: decoded, and the output of its schema. Throws or rejects with `DECODE_FAILED` or a
 * {@link PayloadInvalidError}; trying again cannot help with either.
 */
export function decode(topic: Topic, codec: Codec, type: string, body: Uint8Array): unknown {
  const refuse = (cause: unknown): never => {
    const why = toError(cause).message;
    const message = `A message of type "${type}" in topic "${topic.name}" cannot be decoded as ${codec.contentType}: ${why}.`;
    throw new WaybillError("WAYBILL_DECODE_FAILED", message, { topic: topic.name, cause });
  };
  let value: unknown;
  try {
    value = codec.decode(body, { topic: topic.name, type });
  } catch (error) {
    return refuse(error);
  }
  return value instanceof Promise ? value.then((late) => validate(topic, type, late), refuse) : validate(topic, type, value);
}

function validate(topic: Topic, type: string, value: unknown): unknown {
  const schema = schemaOf(topic, type);
  if (schema === undefined) return value;
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then((late) => output(topic, type, late)) : output(topic, type, result);
}

function output(
  topic: Topic,
  type: string,
  result: Awaited<ReturnType<Topic["schemas"][string]["~standard"]["validate"]>>,
): unknown {
  if (result.issues === undefined) return result.value;
  const message = `A message of type "${type}" in topic "${topic.name}" does not fit its schema: ${describeIssues(result.issues)}.`;
  throw new PayloadInvalidError(message, result.issues, { topic: topic.name });
}
