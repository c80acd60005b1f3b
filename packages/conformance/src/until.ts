import { AssertionError } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

const INTERVAL = 5;

/** Resolves soon after `condition` holds; rejects with what was waited for once `patience` milliseconds are over. */
export async function until(condition: () => boolean | Promise<boolean>, what: () => string, patience = 20_000): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new AssertionError({ message: `waited ${patience} ms for ${what()}` });
    await delay(INTERVAL);
  }
}
