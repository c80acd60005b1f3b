import { type Duration, type Size, toBytes, toMilliseconds, WaybillError } from "@waybill/core/transport";
import { readSasl, readTls } from "./credentials.ts";
import { parseUrl, type UrlOptions } from "./url.ts";

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
  /**
   * How a group shares out partitions. `"sticky"` moves few of them and keeps a partition with that of the group's retry topic, on which the order
   * of replays stands; `"round-robin"` is kafkajs's own, for members of other programs. All members of a group need the same. @default "sticky"
   */
  readonly assignor?: "sticky" | "round-robin";
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
  readonly assignor: "sticky" | "round-robin";
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
  "assignor",
  "replicationFactor",
];
const ASSIGNORS: readonly unknown[] = ["sticky", "round-robin"];
const COMPRESSIONS: readonly unknown[] = ["none", "gzip", "snappy", "lz4", "zstd"];

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
  const assignor = pick("assignor") ?? "sticky";
  if (!ASSIGNORS.includes(assignor)) problems.push(`\`assignor\` is none of ${ASSIGNORS.join(", ")}`);
  const settings: Settings = {
    brokers,
    tls: readTls(options.tls ?? fromUrl.tls, fromUrl.files, env, problems),
    sasl: readSasl(options.sasl ?? fromUrl.sasl, env, problems),
    compression: compression as Compression,
    sessionTimeout: number("sessionTimeout", toMilliseconds, 10_000, 6_000, "duration of at least 6s, which Kafka asks for"),
    metadataRefresh: number("metadataRefresh", toMilliseconds, 30_000, 100, "duration of at least 100ms"),
    maxMessageBytes: number("maxMessageBytes", toBytes, 1_048_576, 1_024, "size of at least 1KiB"),
    assignor: assignor as Settings["assignor"],
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
