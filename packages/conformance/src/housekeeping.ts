import { type Bus, createBus } from "@waybill/core";
import { silentLogger } from "@waybill/core/transport";
import type { Harness } from "./harness.ts";

/** A bus for what is done around the checks. */
async function outside(harness: Harness): Promise<Bus> {
  return createBus({ app: "conformance", logger: silentLogger, transport: await harness.transport() });
}

/** Rejects when the broker does not answer within the time in which anything must have happened: then no check needs to be tried. */
export async function reach(harness: Harness, timeout: number): Promise<void> {
  await using bus = await outside(harness);
  await bus.ready({ timeout });
}

/** Removes topics with their groups and dead letters, so that a broker that many runs use does not fill up. */
export async function removeTopics(harness: Harness, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  const bus = await outside(harness);
  try {
    for (const topic of topics) await bus.admin.deleteTopic(topic);
  } finally {
    // What was to be shown is shown by now.
    await bus.close({ timeout: "2s" }).catch(() => undefined);
  }
}
