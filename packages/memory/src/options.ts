import type { Duration, Size } from "@waybill/core";
import { toBytes, toMilliseconds, WaybillError } from "@waybill/core/transport";
import type { Like } from "./profiles.ts";

/** Options of a memory broker. */
export interface MemoryOptions {
  /** Stands in errors and logs; in a URL it also tells one broker of the process from another. @default "default" */
  readonly name?: string | undefined;
  /** Takes on the limits of a broker, so that what would fail there fails here. @default none: all that any broker has to offer */
  readonly like?: Like | undefined;
  /** How much is stored at most. Past it settled messages go first, then publishing waits. @default "256MiB" */
  readonly maxBytes?: Size | undefined;
  /** How long the group waits for a member that vanished. @default "250ms" */
  readonly sessionTimeout?: Duration | undefined;
}

/** Options as the broker takes them. */
export interface ResolvedOptions {
  readonly name: string;
  readonly like: Like | undefined;
  readonly maxBytes: number;
  readonly sessionTimeout: number;
}

const OPTIONS = ["name", "like", "maxBytes", "sessionTimeout"];

/** Throws one `CONFIG_INVALID` that lists every problem. */
export function resolveOptions(options: MemoryOptions, given = "memory()"): ResolvedOptions {
  const problems = Object.keys(options)
    .filter((option) => !OPTIONS.includes(option))
    .map((option) => `there is no option "${option}"`);
  const { name = "default", like, maxBytes: size = "256MiB", sessionTimeout: time = "250ms" } = options;
  const maxBytes = toBytes(size);
  const sessionTimeout = toMilliseconds(time);
  if (typeof name !== "string" || !/^[A-Za-z0-9._-]{1,100}$/.test(name)) {
    problems.push(`"name" is ${JSON.stringify(name)}, not up to 100 letters, digits, ".", "_" and "-"`);
  }
  if (like !== undefined && like !== "kafka" && like !== "rabbitmq") {
    problems.push(`"like" is ${JSON.stringify(like)}, neither "kafka" nor "rabbitmq"`);
  }
  if (maxBytes === undefined || maxBytes < 1) problems.push(`"maxBytes" is ${JSON.stringify(size)}, not a size such as "256MiB"`);
  if (sessionTimeout === undefined) problems.push(`"sessionTimeout" is ${JSON.stringify(time)}, not a duration such as "250ms"`);
  if (problems.length > 0 || maxBytes === undefined || sessionTimeout === undefined) {
    throw new WaybillError("WAYBILL_CONFIG_INVALID", `${given} is not valid: ${problems.join("; ")}.`);
  }
  return { name, like, maxBytes, sessionTimeout };
}

/** The options of `memory:`, `memory:name` and `memory:name?like=kafka&maxBytes=64MiB&sessionTimeout=1s`. */
export function optionsFromUrl(url: string): MemoryOptions {
  const [, name = "", query = ""] = /^memory:(?:\/\/)?([^?#]*)(?:\?(.*))?$/s.exec(url) ?? [];
  const parameters = Object.fromEntries([...new URLSearchParams(query)].map(([key, value]) => [key, numeric(value)]));
  if ("name" in parameters) {
    throw new WaybillError("WAYBILL_CONFIG_INVALID", `${url} is not valid: the name stands behind "memory:".`);
  }
  return { ...parameters, ...(name === "" ? {} : { name: decodeURIComponent(name) }) };
}

function numeric(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}
