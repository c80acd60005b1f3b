import { createBus } from "@waybill/core";
import { silentLogger } from "@waybill/core/transport";
import type { Harness } from "./harness.ts";

/** Removes topics with their groups and dead letters, so that a broker that many runs use does not fill up. */
export async function removeTopics(harness: Harness, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  await using bus = createBus({ app: "conformance", logger: silentLogger, transport: await harness.transport() });
  for (const topic of topics) await bus.admin.deleteTopic(topic);
}
