import { readFileSync } from "node:fs";
import { toBytes, toMilliseconds, WaybillError } from "@waybill/core/transport";
import { parseUrl, type UrlOptions } from "./url.ts";

/** Milliseconds, or such as `"10s"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;
/** Bytes, or such as `"1MiB"`. */
export type Size = number | `${number}${"B" | "KiB" | "MiB"}`;

/** How records are compressed when they are written. All are understood when read. */
export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** Who we are to the broker. */
export type KafkaSasl =
  | { readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; readonly username: string; readonly password: string }
  /** `token` is asked for one whenever a connection needs it. */
  | { readonly mechanism: "oauthbearer"; readonly token: () => Promise<string> };

/** PEM texts. */
export interface KafkaTls {
  /** Authorities to trust in place of the system's. */
  readonly ca?: string;
  /** Our own certificate, and its key, where the broker asks for one. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  /** `false` takes any certificate of any host: for tests only. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** What `kafka()` takes. An option wins over the URL, and that over a `WAYBILL_KAFKA_*` variable. */
export interface KafkaOptions {
  /** `kafka://user:password@a:9092,b:9092?compression=lz4`; `kafkas:` with TLS. */
  readonly url?: string;
  /** Some of the cluster's brokers, as `host:port`. @default ["localhost:9092"] */
  readonly brokers?: readonly string[];
  /** @default no TLS */
  readonly tls?: boolean | KafkaTls;
  /** @default none */
  readonly sasl?: KafkaSasl;
  /** @default "none" */
  readonly compression?: Compression;
  /** How long a member may be silent before its partitions go to others. Kafka takes 6 s to 30 min. @default "10s" */
  readonly sessionTimeout?: Duration;
  /** How long until a partition that was added is noticed. @default "30s" */
  readonly metadataRefresh?: Duration;
  /** The largest batch of records that the topics take (`max.message.bytes`). @default "1MiB" */
  readonly maxMessageBytes?: Size;
  /** Copies of each topic that is created; -1 is the broker's default. @default -1 */
  readonly replicationFactor?: number;
}

/** Options that were looked at. Durations in milliseconds, sizes in bytes. */
export interface Settings {
  readonly brokers: readonly string[];
  readonly tls: boolean | KafkaTls;
  readonly sasl: KafkaSasl | undefined;
  readonly compression: Compression;
  readonly sessionTimeout: number;
  readonly metadataRefresh: number;
  readonly maxMessageBytes: number;
  readonly replicationFactor: number;
}

const KNOWN = [
  "url",
  "brokers",
  "tls",
  "sasl",
  "compression",
  "sessionTimeout",
  "metadataRefresh",
  "maxMessageBytes",
  "replicationFactor",
];
const COMPRESSIONS: readonly unknown[] = ["none", "gzip", "snappy", "lz4", "zstd"];
const MECHANISMS: readonly unknown[] = ["plain", "scram-sha-256", "scram-sha-512"];

/** Settles options, URL and environment, or throws one `CONFIG_INVALID` that lists every problem. Values never appear: they may be secrets. */
export function readOptions(options: KafkaOptions, env: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const problems: string[] = [];
  const fromUrl: UrlOptions = options.url === undefined ? {} : parseUrl(options.url, problems);
  for (const name of Object.keys(options)) if (!KNOWN.includes(name)) problems.push(`there is no option "${name}"`);
  const pick = <K extends keyof UrlOptions>(name: K): unknown =>
    (options as Readonly<Record<string, unknown>>)[name] ?? fromUrl[name];
  const number = (
    name: keyof UrlOptions,
    read: (value: unknown) => number | undefined,
    standard: number,
    min: number,
    what: string,
  ) => {
    const value = pick(name);
    const result = value === undefined ? standard : read(value);
    if (result === undefined || result < min) problems.push(`\`${name}\` is no ${what}`);
    return result ?? standard;
  };

  const brokers = (pick("brokers") ?? env.WAYBILL_KAFKA_BROKERS?.split(",") ?? ["localhost:9092"]) as readonly string[];
  if (!Array.isArray(brokers) || brokers.length === 0 || !brokers.every(isAddress)) {
    problems.push("`brokers` is no list of host:port");
  }
  const compression = pick("compression") ?? "none";
  if (!COMPRESSIONS.includes(compression)) problems.push(`\`compression\` is none of ${COMPRESSIONS.join(", ")}`);
  const settings: Settings = {
    brokers,
    tls: readTls(options.tls ?? fromUrl.tls, env, problems),
    sasl: readSasl(options.sasl ?? fromUrl.sasl, env, problems),
    compression: compression as Compression,
    sessionTimeout: number("sessionTimeout", toMilliseconds, 10_000, 6_000, "duration of at least 6s, which Kafka asks for"),
    metadataRefresh: number("metadataRefresh", toMilliseconds, 30_000, 100, "duration of at least 100ms"),
    maxMessageBytes: number("maxMessageBytes", toBytes, 1_048_576, 1_024, "size of at least 1KiB"),
    replicationFactor: number("replicationFactor", toInteger, -1, -1, "number of copies"),
  };
  if (problems.length > 0) {
    throw new WaybillError("WAYBILL_CONFIG_INVALID", `The Kafka transport cannot be made: ${problems.join("; ")}.`);
  }
  return settings;
}

function isAddress(address: unknown): boolean {
  const port = typeof address === "string" ? /^(?:\[[0-9a-fA-F:]+\]|[^\s:/@,[\]]+):(\d+)$/.exec(address)?.[1] : undefined;
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536;
}

function toInteger(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) && number !== 0 ? (number as number) : undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

function readTls(tls: KafkaOptions["tls"] | UrlOptions["tls"], env: Env, problems: string[]): boolean | KafkaTls {
  const file = (name: string): string | undefined => {
    const path = env[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      problems.push(`the file of ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`);
      return undefined;
    }
  };
  if (tls === undefined || tls === false) return false;
  const known = ["ca", "cert", "key", "passphrase", "rejectUnauthorized"];
  if (tls !== true)
    for (const name of Object.keys(tls)) if (!known.includes(name)) problems.push(`there is no option "tls.${name}"`);
  const files = { ca: file("WAYBILL_KAFKA_CA"), cert: file("WAYBILL_KAFKA_CERT"), key: file("WAYBILL_KAFKA_KEY") };
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  const result: KafkaTls = { ...given, ...(tls === true ? {} : tls) };
  if ((result.cert === undefined) !== (result.key === undefined)) problems.push("`tls.cert` and `tls.key` go together");
  return result;
}

function readSasl(sasl: Partial<KafkaSasl> | undefined, env: Env, problems: string[]): KafkaSasl | undefined {
  if (sasl?.mechanism === "oauthbearer") {
    if (typeof sasl.token !== "function") problems.push("`sasl.token` is no function");
    return sasl as KafkaSasl;
  }
  const given = (sasl ?? {}) as { mechanism?: string; username?: string; password?: string };
  const username = given.username ?? env.WAYBILL_KAFKA_USERNAME;
  const password = given.password ?? env.WAYBILL_KAFKA_PASSWORD;
  const mechanism = given.mechanism ?? env.WAYBILL_KAFKA_MECHANISM ?? "plain";
  if (username === undefined && password === undefined && sasl === undefined) return undefined;
  if (!MECHANISMS.includes(mechanism)) problems.push(`\`sasl.mechanism\` is none of ${MECHANISMS.join(", ")}, oauthbearer`);
  if (!username || !password) problems.push("`sasl` lacks a username or a password");
  return { mechanism: mechanism as "plain", username: username ?? "", password: password ?? "" };
}
