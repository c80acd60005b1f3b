import { type Check, skipReason } from "./behaviour.ts";
import type { Harness } from "./harness.ts";
import { removeTopics } from "./housekeeping.ts";
import { Lab } from "./lab.ts";

/**
 * Runs one check against a broker and removes its topics. Resolves with the reason when it had to be skipped, else with `undefined`;
 * rejects when it does not hold.
 */
export async function runCheck(check: Check, harness: Harness): Promise<string | undefined> {
  const topics: string[] = [];
  try {
    return await perform(check, harness, topics);
  } finally {
    await removeTopics(harness, topics);
  }
}

/** As {@link runCheck}, but leaves the topics to the caller. */
export async function perform(check: Check, harness: Harness, topics: string[]): Promise<string | undefined> {
  const { capabilities } = await harness.transport();
  const reason = harness.skip ?? skipReason(check, capabilities, harness);
  if (reason !== undefined) return reason;
  const lab = new Lab(harness, capabilities);
  try {
    await check.run(lab);
  } catch (error) {
    // What failed says more than what then cannot be closed.
    await lab.close().catch(() => undefined);
    throw error;
  } finally {
    topics.push(...lab.topics);
  }
  await lab.close();
  return undefined;
}
