import { beforeAll, describe, test } from "vitest";
import { skipReason } from "./behaviour.ts";
import { behaviours } from "./behaviours/index.ts";
import { type Harness, patienceOf } from "./harness.ts";
import { reach } from "./housekeeping.ts";
import { runCheck } from "./run.ts";

const CHECK_TIMEOUT = 60_000;
const CLEANUP_TIMEOUT = 120_000;

/**
 * Declares a vitest suite that says whether a transport is right. What its broker or the harness does not have is skipped, with the reason in
 * the title. Checks run side by side, as many as vitest's `maxConcurrency` says.
 */
export function describeTransport(name: string, harness: Harness): void {
  if (harness.skip !== undefined) {
    describe.skip(`${name} is a right transport (skipped: ${harness.skip})`, () => {
      for (const behaviour of behaviours) test(behaviour.name, () => undefined);
    });
    return;
  }
  describe.concurrent(`${name} is a right transport`, async () => {
    const { capabilities } = await harness.transport();
    beforeAll(() => reach(harness, patienceOf(harness)), CLEANUP_TIMEOUT);
    for (const behaviour of behaviours) {
      describe(behaviour.name, () => {
        for (const check of behaviour.checks) {
          const reason = skipReason(check, capabilities, harness);
          if (reason !== undefined) test.skip(`${check.name} (skipped: ${reason})`);
          else
            test(check.name, { timeout: check.timeout ?? CHECK_TIMEOUT }, () => runCheck(check, harness).then(() => undefined));
        }
      });
    }
  });
}
