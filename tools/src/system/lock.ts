import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Log } from "./log.ts";
import { until } from "./wait.ts";

const SQLITE_BUSY = 5;
const TEN_MINUTES = 600_000;

/**
 * Runs one piece of work at a time among all processes that name the same file.
 *
 * The lock is SQLite's on that file: the system releases it when its holder dies, so there is no stale one to recognise.
 */
export async function withLock<T>(file: string, log: Log, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 0 });
  let said = false;
  try {
    await until({ what: `the lock ${file}`, timeout: TEN_MINUTES, interval: 200 }, () => {
      if (tryLock(database)) return true;
      if (!said) log(`waiting for another process that holds ${file}`);
      said = true;
      return false;
    });
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
