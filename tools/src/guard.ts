import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { recordFile } from "./record.ts";

/** Ends a guard without ending the cluster. */
export type Disarm = () => void;

/**
 * Starts a small process that ends the cluster when this one dies, however it dies.
 *
 * It waits for the end of its stdin, a pipe of which this process holds the other end: the system closes it even after SIGKILL.
 */
export function guard(id: string): Disarm {
  const main = fileURLToPath(new URL("./guard-main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, recordFile(id)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return () => void child.kill("SIGKILL");
}
