import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterFailure, type FailurePolicy, type NextStep, type Progress } from "../../src/consume/policy.ts";
import { DeadLetter, RetryLater } from "../../src/errors.ts";

const base: FailurePolicy = {
  attempts: 3,
  backoff: { initial: 100, max: 1_000 },
  retryIf: undefined,
  later: [],
  onFailure: "dead-letter",
};

/** All steps of a message that fails every time. */
function way(policy: FailurePolicy, error: unknown): NextStep[] {
  const steps: NextStep[] = [];
  let progress: Progress = { attempts: 0, before: 0, level: 0 };
  for (let turn = 0; turn < 100; turn++) {
    progress = { ...progress, attempts: progress.attempts + 1 };
    const step = afterFailure(error, progress, policy, () => 1);
    steps.push(step);
    if (typeof step === "string") return steps;
    if (!step.counts) progress = { ...progress, attempts: progress.attempts - 1 };
    if ("delay" in step) progress = { attempts: progress.attempts, before: progress.attempts, level: step.next };
  }
  throw new Error("it never ends");
}

describe("a message that always fails", () => {
  test("is tried in place with a growing wait, then dead-lettered", () => {
    expect(way(base, new Error("x"))).toEqual([{ retryIn: 100, counts: true }, { retryIn: 200, counts: true }, "dead-letter"]);
  });

  test("goes through the delayed destinations in turn, with one call after each", () => {
    expect(way({ ...base, attempts: 2, later: [1_000, 5_000] }, new Error("x"))).toEqual([
      { retryIn: 100, counts: true },
      { delay: 1_000, next: 1, counts: true },
      { delay: 5_000, next: 2, counts: true },
      "dead-letter",
    ]);
  });

  test("is dead-lettered at once where no attempt can cure it", () => {
    expect(way({ ...base, onFailure: "block" }, new DeadLetter("declined"))).toEqual(["dead-letter"]);
    expect(way({ ...base, retryIf: () => false }, new Error("x"))).toEqual(["dead-letter"]);
  });

  test("ends as onFailure says", () => {
    expect(way({ ...base, attempts: 1, onFailure: "block" }, new Error("x"))).toEqual(["block"]);
    expect(way({ ...base, attempts: 1, onFailure: "stop" }, new Error("x"))).toEqual(["stop"]);
  });

  test("ends however attempts, levels and RetryLater mix", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
        fc.option(fc.integer({ min: 0, max: 120 })),
        (attempts, levels, after) => {
          const later = levels.sort((a, b) => a - b).map((s) => s * 1_000);
          const error = after === null ? new Error("x") : new RetryLater({ after: `${after}s` });
          const steps = way({ ...base, attempts, later }, error);
          expect(steps.at(-1)).toBe("dead-letter");
          expect(steps.length).toBeLessThanOrEqual(attempts + later.length);
          const waits = steps.flatMap((step) => (typeof step === "string" ? [] : ["delay" in step ? step.delay : step.retryIn]));
          if (after !== null) for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(after * 1_000);
        },
      ),
    );
  });
});

describe("RetryLater", () => {
  test("takes the smallest delayed destination that is long enough", () => {
    const step = afterFailure(
      new RetryLater({ after: "2s" }),
      { attempts: 1, before: 0, level: 0 },
      { ...base, later: [1_000, 5_000, 9_000] },
    );
    expect(step).toEqual({ delay: 5_000, next: 2, counts: true });
  });

  test("waits in place where none is long enough", () => {
    const step = afterFailure(new RetryLater({ after: "1m" }), { attempts: 1, before: 0, level: 0 }, { ...base, later: [1_000] });
    expect(step).toEqual({ retryIn: 60_000, counts: true });
  });

  test("that does not count never ends the attempts", () => {
    const step = afterFailure(new RetryLater({ after: "1s", counts: false }), { attempts: 50, before: 0, level: 0 }, base);
    expect(step).toEqual({ retryIn: 1_000, counts: false });
  });
});
