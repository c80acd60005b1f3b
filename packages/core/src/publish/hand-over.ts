import type { Clock } from "../clock.ts";
import { toError, WaybillError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Outcome, TransportPublisher } from "../transport.ts";
import type { Item } from "./lane.ts";

/**
 * The longest that one call of the transport may wait for its connection, in milliseconds: messages without a deadline are given to it time and
 * again, instead of holding it to an endless wait.
 */
const LONGEST_CALL = 30_000;

/** One call of the transport. A transport that breaks its contract leaves everything in doubt: all of the batch is to be sent again. */
export async function handOver(
  publisher: TransportPublisher,
  batch: readonly [Item, ...Item[]],
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<readonly Outcome[]> {
  const { to } = batch[0];
  let deadline = 0;
  for (const item of batch) deadline = Math.max(deadline, item.deadline);
  deadline = Math.min(deadline, clock.now() + LONGEST_CALL);
  try {
    const envelopes = batch.map((item) => item.envelope);
    const outcomes = await publisher.publish(to, envelopes, { deadline });
    if (outcomes.length === batch.length) return outcomes;
    throw new Error(`it gave ${outcomes.length} outcomes for ${batch.length} messages`);
  } catch (cause) {
    const topic = to.topic.name;
    const message = `The transport broke its contract on topic "${topic}": ${toError(cause).message}.`;
    logger.error({ topic, error: cause }, message);
    const error = new WaybillError("WAYBILL_PUBLISH_REFUSED", message, { topic, retryable: true, cause });
    return batch.map(() => ({ stored: "unknown", retry: true, error }));
  }
}
