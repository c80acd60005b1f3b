import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where downloads, records of running brokers and their data stand: `WAYBILL_BROKERS_DIR`, else `waybill/brokers` in
 * the user's cache directory (`XDG_CACHE_HOME`, `~/Library/Caches` or `~/.cache`).
 */
export function brokersDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WAYBILL_BROKERS_DIR) return env.WAYBILL_BROKERS_DIR;
  const cache = process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(env.XDG_CACHE_HOME || cache, "waybill", "brokers");
}
