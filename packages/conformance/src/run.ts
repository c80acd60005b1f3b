import { type Check, skipReason } from "./behaviour.ts";
import type { Harness } from "./harness.ts";
import { removeTopics } from "./housekeeping.ts";
import { Lab } from "./lab.ts";

/**
 * Runs one check against a broker, and removes its topics at once: what stays behind adds up, and some brokers have room for few queues. Resolves
 * with the reason when it had to be skipped, else with `undefined`; rejects when it does not hold.
 */
export async function runCheck(check: Check, harness: Harness): Promise<string | undefined> {
  const { capabilities } = await harness.transport();
  const reason = harness.skip ?? skipReason(check, capabilities, harness);
  if (reason !== undefined) return reason;
  const lab = new Lab(harness, capabilities);
  try {
    await check.run(lab);
  } catch (error) {
    // What failed says more than what then cannot be closed or removed.
    await end(lab).catch(() => undefined);
    throw error;
  }
  await end(lab);
  return undefined;
}

async function end(lab: Lab): Promise<void> {
  try {
    await lab.close();
  } finally {
    await removeTopics(lab.harness, lab.topics);
  }
}
