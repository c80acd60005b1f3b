import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { behaviours, type Check } from "../src/index.ts";
import { perform } from "../src/run.ts";
import { tamperedHarness } from "./harness.ts";
import { sabotages } from "./sabotages.ts";

const checks = behaviours.flatMap((behaviour) => behaviour.checks);

/** The one check whose name begins so. */
function find(beginning: string): Check {
  const found = checks.filter(({ name }) => name.startsWith(beginning));
  assert.equal(found.length, 1, `${found.length} checks begin with "${beginning}"`);
  return found[0] as Check;
}

describe.concurrent.each(sabotages)("a transport that $name", ({ tamper, like, caughtBy }) => {
  for (const [beginning, says] of Object.entries(caughtBy)) {
    test(`is caught: ${beginning} …`, async () => {
      await expect(perform(find(beginning), tamperedHarness(like, tamper(), 1_000), [])).rejects.toThrow(says);
    });

    test(`is right without that: ${beginning} …`, async () => {
      expect(
        await perform(
          find(beginning),
          tamperedHarness(like, () => ({}), 10_000),
          [],
        ),
      ).toBeUndefined();
    });
  }
});
