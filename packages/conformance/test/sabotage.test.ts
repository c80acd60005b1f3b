import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { behaviours, type Check } from "../src/index.ts";
import { runCheck } from "../src/run.ts";
import { tamperedHarness } from "./harness.ts";
import { sabotages } from "./sabotages/index.ts";

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
      await expect(runCheck(find(beginning), tamperedHarness(like, tamper(), 1_000))).rejects.toThrow(says);
    });

    test(`is right without that: ${beginning} …`, async () => {
      expect(
        await runCheck(
          find(beginning),
          tamperedHarness(like, () => ({}), 10_000),
        ),
      ).toBeUndefined();
    });
  }
});

/** What core promises by itself, whatever the transport does: its own tests show that these can fail. */
const CORE = [
  "a paused subscription gets nothing, then everything",
  "handlers that throw nothing, throw at once, settle twice or fail after they settled are handled like any other",
  "a key that is blocked waits until it is released, in order, and other keys go on",
  "every message comes in one batch, those of a key in their order, with several batches in flight",
  "an item that fails comes again before the later ones of its key, and the rest of its batch does not",
  "deliveries are received in turn, come again after a nack, and not after an ack",
  "an iteration that is left early loses nothing and repeats nothing",
  "after close, publish and subscribe reject with CLOSED",
  "what is not valid is refused before anything is sent",
  "names that some broker could not take are refused on every transport",
  "a second subscription of the same bus to the same topic and group is refused",
];

test("every check of a transport is failed by one of these", () => {
  const caught = sabotages.flatMap(({ caughtBy }) => Object.keys(caughtBy).map(find));
  expect(checks.filter((check) => !caught.includes(check)).map(({ name }) => name)).toEqual(CORE);
});
