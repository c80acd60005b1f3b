import { AssertionError } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

const INTERVAL = 5;

/** Resolves soon after `condition` holds; rejects with what was waited for once `patience` milliseconds are over. */
export async function until(condition: () => boolean | Promise<boolean>, what: () => string, patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new AssertionError({ message: `waited ${patience} ms for ${what()}` });
    await delay(INTERVAL);
  }
}

/** What `promise` resolves with; rejects with what was waited for when that takes longer than `patience` milliseconds. */
export async function within<T>(promise: Promise<T>, what: string, patience: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new AssertionError({ message: `waited ${patience} ms for ${what}` })), patience);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
