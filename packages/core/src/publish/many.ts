import { PublishManyError, toError, WaybillError } from "../errors.ts";
import type { Receipt } from "../publisher.ts";
import type { Topic } from "../topic.ts";

/** The receipts of a `publishMany`; throws a {@link PublishManyError} unless all were stored. */
export function receiptsOf(topic: Topic, settled: readonly PromiseSettledResult<Receipt>[]): readonly Receipt[] {
  const outcomes: (Receipt | WaybillError)[] = [];
  const errors: WaybillError[] = [];
  const receipts: Receipt[] = [];
  for (const one of settled) {
    const outcome = one.status === "fulfilled" ? one.value : asWaybillError(topic, one.reason);
    outcomes.push(outcome);
    if (outcome instanceof WaybillError) errors.push(outcome);
    else receipts.push(outcome);
  }
  const [first] = errors;
  if (first === undefined) return receipts;
  const message = `${errors.length} of ${settled.length} messages to topic "${topic.name}" were not confirmed. The first error: ${first.message}`;
  throw new PublishManyError(message, outcomes, {
    topic: topic.name,
    retryable: errors.every((error) => error.retryable),
    cause: first,
  });
}

/** Plugins throw what they like. */
function asWaybillError(topic: Topic, reason: unknown): WaybillError {
  if (reason instanceof WaybillError) return reason;
  const message = `A plugin failed on a message to topic "${topic.name}": ${toError(reason).message}.`;
  return new WaybillError("WAYBILL_PUBLISH_REFUSED", message, { topic: topic.name, cause: reason });
}
