import { readFileSync } from "node:fs";
import { toBytes, toMilliseconds, WaybillError } from "@waybill/core/transport";
import { parseUrl, type UrlParts } from "./url.ts";

/** Configuration of {@link rabbitmq}. What is absent comes from the URL, then from the variable that is named, then from the default. */
export interface RabbitmqOptions {
  /** `amqp://user:password@host:5672,other:5672/vhost`; `amqps:` is TLS. The other options may stand in its query, `tls` as `ca`, `cert`, `key`, `rejectUnauthorized`. */
  readonly url?: string | undefined;
  /** `"host"` or `"host:port"`, tried in turn. `WAYBILL_RABBITMQ_HOSTS`, with commas. @default ["localhost"] */
  readonly hosts?: readonly string[] | undefined;
  /** `WAYBILL_RABBITMQ_VHOST`. @default "/" */
  readonly vhost?: string | undefined;
  /** `WAYBILL_RABBITMQ_USERNAME`. @default "guest" */
  readonly username?: string | undefined;
  /** `WAYBILL_RABBITMQ_PASSWORD`. @default "guest" */
  readonly password?: string | undefined;
  /** `"external"`: the client certificate says who this is. `WAYBILL_RABBITMQ_AUTH`. @default "plain" */
  readonly auth?: "plain" | "external" | undefined;
  /** TLS with the system's authorities (`true`), or with these. @default true for `amqps:` */
  readonly tls?: boolean | RabbitmqTlsOptions | undefined;
  /** After two of these without a sign of the broker the connection is given up: whole seconds, at least one. `WAYBILL_RABBITMQ_HEARTBEAT`. @default "10s" */
  readonly heartbeat?: number | string | undefined;
  /** How long one attempt to connect may take. `WAYBILL_RABBITMQ_CONNECT_TIMEOUT`. @default "10s" */
  readonly connectTimeout?: number | string | undefined;
  /** Larger messages are refused, 16 MiB at most. Messages held in memory are bounded by it: a small one allows many. `WAYBILL_RABBITMQ_MAX_MESSAGE_BYTES`. @default "1MiB" */
  readonly maxMessageBytes?: number | string | undefined;
}

/** Of a connection with TLS; PEM text. The broker's host name is always compared with its certificate while `rejectUnauthorized` is on. */
export interface RabbitmqTlsOptions {
  /** The authority that signed the broker's certificate. In the URL, and in `WAYBILL_RABBITMQ_CA`, a file. @default the system's */
  readonly ca?: string | Buffer | undefined;
  /** Of this client. A file in the URL and in `WAYBILL_RABBITMQ_CERT`. */
  readonly cert?: string | Buffer | undefined;
  /** Of this client's certificate. A file in the URL and in `WAYBILL_RABBITMQ_KEY`. */
  readonly key?: string | Buffer | undefined;
  /** `false` takes any certificate: for experiments only. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Options, complete and checked. */
export interface Settings {
  readonly hosts: readonly { readonly hostname: string; readonly port: number }[];
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  readonly auth: "plain" | "external";
  readonly tls: TlsSettings | undefined;
  /** Seconds. */
  readonly heartbeat: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly maxMessageBytes: number;
}

interface TlsSettings {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly rejectUnauthorized: boolean;
}

/** What 4.x takes at most, and what no option can raise. */
export const LARGEST_MESSAGE = 16 * 1_048_576;

const OPTIONS = [
  "url",
  "hosts",
  "vhost",
  "username",
  "password",
  "auth",
  "tls",
  "heartbeat",
  "connectTimeout",
  "maxMessageBytes",
];
const IN_QUERY = ["auth", "heartbeat", "connectTimeout", "maxMessageBytes"];
const TLS = ["ca", "cert", "key", "rejectUnauthorized"];

/** Checks everything together; throws one `CONFIG_INVALID` that names every problem, and no secret. */
export function resolveOptions(options: RabbitmqOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  for (const name in options) if (!OPTIONS.includes(name)) problems.push(`there is no option "${name}"`);
  const url = options.url === undefined ? undefined : parseUrl(options.url, problems);
  const query = readQuery(url, problems);
  const pick = (name: keyof RabbitmqOptions, fromUrl: unknown, variable: string): unknown =>
    options[name] ?? fromUrl ?? env[`WAYBILL_RABBITMQ_${variable}`];

  const tls = readTls(options.tls, url, query, env, problems);
  const settings: Settings = {
    hosts: readHosts(
      pick("hosts", url && (url.hosts.length > 0 ? url.hosts : undefined), "HOSTS") ?? ["localhost"],
      tls !== undefined,
      problems,
    ),
    vhost: readText(pick("vhost", url?.vhost, "VHOST") ?? "/", "vhost", problems),
    username: readText(pick("username", url?.username, "USERNAME") ?? "guest", "username", problems),
    password: readText(pick("password", url?.password, "PASSWORD") ?? "guest", "password", problems),
    auth: readAuth(pick("auth", query.get("auth"), "AUTH") ?? "plain", problems),
    tls,
    heartbeat:
      readDuration(pick("heartbeat", query.get("heartbeat"), "HEARTBEAT") ?? "10s", "heartbeat", 1_000, problems) / 1_000,
    connectTimeout: readDuration(
      pick("connectTimeout", query.get("connectTimeout"), "CONNECT_TIMEOUT") ?? "10s",
      "connectTimeout",
      1,
      problems,
    ),
    maxMessageBytes: readSize(pick("maxMessageBytes", query.get("maxMessageBytes"), "MAX_MESSAGE_BYTES") ?? "1MiB", problems),
  };
  if (!Number.isInteger(settings.heartbeat)) problems.push('"heartbeat" is not a number of whole seconds');
  if (problems.length > 0) {
    throw new WaybillError("WAYBILL_CONFIG_INVALID", `The configuration of RabbitMQ is not valid: ${problems.join("; ")}.`);
  }
  return settings;
}

function readQuery(url: UrlParts | undefined, problems: string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of url?.parameters ?? []) {
    if (!IN_QUERY.includes(name) && !TLS.includes(name)) problems.push(`there is no URL parameter "${name}"`);
    query.set(name, value);
  }
  return query;
}

function readHosts(hosts: unknown, tls: boolean, problems: string[]): Settings["hosts"] {
  const list: unknown[] = typeof hosts === "string" ? hosts.split(",") : Array.isArray(hosts) ? hosts : [];
  if (list.length === 0) problems.push('"hosts" is no list of hosts');
  return list.map((host) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/.exec(String(host)) ?? [];
    const hostname = bracketed ?? plain;
    if (hostname === undefined || Number(port ?? 1) > 65_535)
      problems.push(`${JSON.stringify(host)} is no host, such as "broker:5672"`);
    return { hostname: hostname ?? "", port: port === undefined ? (tls ? 5_671 : 5_672) : Number(port) };
  });
}

function readTls(
  option: RabbitmqOptions["tls"],
  url: UrlParts | undefined,
  query: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): TlsSettings | undefined {
  const wanted = option ?? url?.tls ?? false;
  const given = TLS.filter((name) => query.has(name));
  if (wanted === false) {
    for (const name of given) problems.push(`the URL parameter "${name}" needs TLS, which amqps: asks for`);
    return undefined;
  }
  const own: RabbitmqTlsOptions = typeof wanted === "object" ? wanted : {};
  for (const name in own) if (!TLS.includes(name)) problems.push(`there is no option "tls.${name}"`);
  const pem = (name: "ca" | "cert" | "key"): string | Buffer | undefined => {
    const file = query.get(name) ?? env[`WAYBILL_RABBITMQ_${name.toUpperCase()}`];
    try {
      return own[name] ?? (file === undefined ? undefined : readFileSync(file));
    } catch (error) {
      problems.push(
        `the file of "${name}" cannot be read (${error instanceof Error && "code" in error ? error.code : "unknown"})`,
      );
      return undefined;
    }
  };
  const strict = own.rejectUnauthorized ?? query.get("rejectUnauthorized") ?? true;
  if (!["true", "false"].includes(String(strict))) problems.push('"rejectUnauthorized" is neither true nor false');
  const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized: String(strict) !== "false",
  };
}

function readText(value: unknown, name: string, problems: string[]): string {
  if (typeof value !== "string") problems.push(`"${name}" is not a string`);
  return String(value);
}

function readAuth(value: unknown, problems: string[]): "plain" | "external" {
  if (value !== "plain" && value !== "external") problems.push('"auth" is neither "plain" nor "external"');
  return value === "external" ? "external" : "plain";
}

/** From the environment and from URLs, numbers are strings. */
const numeric = (value: unknown): unknown => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value);

function readDuration(value: unknown, name: string, least: number, problems: string[]): number {
  const ms = toMilliseconds(numeric(value));
  if (ms === undefined || ms < least)
    problems.push(`"${name}" is ${JSON.stringify(value)}, not a duration of at least ${least} ms such as "10s"`);
  return ms ?? least;
}

function readSize(value: unknown, problems: string[]): number {
  const bytes = toBytes(numeric(value));
  if (bytes === undefined || bytes < 1_024 || bytes > LARGEST_MESSAGE) {
    problems.push(`"maxMessageBytes" is ${JSON.stringify(value)}, not a size from "1KiB" to "16MiB"`);
  }
  return bytes ?? LARGEST_MESSAGE;
}
