import type { TestContext } from "vitest";
import { BrokerUnavailableError, type Cluster } from "../src/index.ts";

/** Starts a real broker, or skips the test with the reason that this machine has none; where brokers are required that fails it. */
export async function startOrSkip(skip: TestContext["skip"], start: () => Promise<Cluster>): Promise<Cluster> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError) || process.env.WAYBILL_REQUIRE_BROKERS === "1") throw error;
    return skip(error.message);
  }
}
