import { expect, test } from "vitest";
import { Journal } from "../src/journal.ts";
import { durationOf, workOf } from "../src/work.ts";

const work = (index: number, key: string) => ({ index, key, note: "" });

/** What a journal of `total` messages says of some steps. */
function journalOf(total: number, steps: (journal: Journal) => void): Promise<number> {
  const journal = new Journal(total);
  steps(journal);
  return journal.elapsed;
}

test("keys may be handled side by side", async () => {
  const elapsed = journalOf(2, (journal) => {
    journal.begin(work(0, "a"));
    journal.begin(work(1, "b"));
    journal.end(work(1, "b"));
    journal.end(work(0, "a"));
  });
  await expect(elapsed).resolves.toBeGreaterThanOrEqual(0);
});

test("a message that overtakes another of its key is found", async () => {
  const elapsed = journalOf(2, (journal) => {
    for (const index of [1, 0]) {
      journal.begin(work(index, "a"));
      journal.end(work(index, "a"));
    }
  });
  await expect(elapsed).rejects.toThrow("message 0 of a came after a later one");
});

test("two messages of one key at once are found", async () => {
  const elapsed = journalOf(2, (journal) => {
    journal.begin(work(0, "a"));
    journal.begin(work(1, "a"));
    journal.end(work(0, "a"));
  });
  await expect(elapsed).rejects.toThrow("a was handled twice at once");
});

test("a message that is handled twice is found", async () => {
  const elapsed = journalOf(2, (journal) => {
    for (const index of [0, 0]) {
      journal.begin(work(index, "a"));
      journal.end(work(index, "a"));
    }
  });
  await expect(elapsed).rejects.toThrow("message 0 was handled twice");
});

test("messages are the same in every run, spread over the keys, and take 0 to 5 ms", () => {
  const all = Array.from({ length: 10_000 }, (_, index) => workOf(index, 100));
  const durations = all.map(({ index }) => durationOf(index));
  expect(all[7]).toEqual(workOf(7, 100));
  expect(new Set(all.map(({ key }) => key)).size).toBe(100);
  expect(Math.min(...durations)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...durations)).toBeLessThan(5);
  expect(durations.reduce((sum, ms) => sum + ms, 0) / durations.length).toBeCloseTo(2.5, 1);
});
