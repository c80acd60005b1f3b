import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PayloadInvalidError, toError, WaybillError } from "../errors.ts";
import { describeIssues } from "../issues.ts";
import { keyOf, type Topic } from "../topic.ts";
import { isPromise } from "./promise.ts";

/** The type of a message: the topic's own name where it has one schema. Throws `TYPE_UNKNOWN`. */
export function typeOf(topic: Topic, type: string | undefined): string {
  if (topic.form === "single") return topic.name;
  if (type !== undefined && Object.hasOwn(topic.schemas, type)) return type;
  throw new WaybillError("WAYBILL_TYPE_UNKNOWN", `Topic "${topic.name}" has no event ${JSON.stringify(type)}.`, {
    topic: topic.name,
    hint: `It has ${Object.keys(topic.schemas).join(", ")}.`,
  });
}

type Valid = StandardSchemaV1.SuccessResult<unknown>;

/** What the schema makes of a payload. Throws, or rejects with, a {@link PayloadInvalidError}. */
export function validatePayload(topic: Topic, type: string, payload: unknown, where: string): Valid | PromiseLike<Valid> {
  const refuse = (cause: unknown): never => {
    const message = `The schema of ${described(topic, type)} failed${where}: ${toError(cause).message}.`;
    throw new PayloadInvalidError(message, [], { topic: topic.name, cause });
  };
  const take = (result: StandardSchemaV1.Result<unknown>): Valid => {
    if (result.issues === undefined) return result;
    const message = `The payload of ${described(topic, type)} is not valid${where}: ${describeIssues(result.issues)}.`;
    throw new PayloadInvalidError(message, result.issues, { topic: topic.name });
  };
  let result: ReturnType<StandardSchemaV1["~standard"]["validate"]>;
  try {
    result = (topic.schemas[type] as StandardSchemaV1)["~standard"].validate(payload);
  } catch (error) {
    return refuse(error);
  }
  return isPromise(result) ? result.then(take, refuse) : take(result);
}

/**
 * The key of a message: the one given, else what the topic's function says of the validated payload. Throws `KEY_INVALID` where that is no
 * non-empty string, and for a key on a topic that has none: it would promise an order that nobody keeps.
 */
export function keyFor(
  topic: Topic,
  type: string,
  output: unknown,
  given: string | undefined,
  where: string,
): string | undefined {
  const refuse = (problem: string, hint?: string, cause?: unknown): never => {
    const message = `The key of ${described(topic, type)} ${problem}${where}.`;
    throw new WaybillError("WAYBILL_KEY_INVALID", message, { topic: topic.name, hint, cause });
  };
  const of = keyOf(topic);
  if (of === undefined) {
    return given === undefined ? undefined : refuse("is refused, because the topic has none", 'Give the topic a "key" function.');
  }
  let key: unknown = given;
  if (key === undefined) {
    try {
      key = of({ type, payload: output });
    } catch (error) {
      return refuse(`could not be told (${toError(error).message})`, undefined, error);
    }
  }
  if (typeof key === "string" && key !== "") return key;
  return refuse(`is ${key === "" ? "empty" : `${key === null ? "null" : typeof key}, not a string`}`);
}

function described(topic: Topic, type: string): string {
  return topic.form === "single" ? `a message to topic "${topic.name}"` : `"${type}" to topic "${topic.name}"`;
}
