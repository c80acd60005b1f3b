import { test } from "vitest";
import { Dispatcher } from "../../src/consume/dispatcher.ts";
import { holdsUnderAnyInterleaving, otherKeysGoOn } from "./interleavings.ts";

test("whatever is delivered, lost, handed over and retried, order holds, nothing is skipped and nothing is done twice", async () => {
  await holdsUnderAnyInterleaving(Dispatcher, 500);
}, 120_000);

test("a busy key does not keep another waiting", async () => {
  await otherKeysGoOn(Dispatcher);
});
