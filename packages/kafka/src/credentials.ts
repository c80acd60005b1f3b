import { readFileSync } from "node:fs";
import type { KafkaSasl, KafkaTls } from "./options.ts";
import type { UrlOptions } from "./url.ts";

type Env = Readonly<Record<string, string | undefined>>;

const TLS = ["ca", "cert", "key", "passphrase", "rejectUnauthorized"];
const MECHANISMS: readonly unknown[] = ["plain", "scram-sha-256", "scram-sha-512"];

/** TLS options, with PEM files that the URL or the environment name where the options have no text. */
export function readTls(
  tls: boolean | KafkaTls | undefined,
  files: UrlOptions["files"],
  env: Env,
  problems: string[],
): boolean | KafkaTls {
  if (tls === undefined || tls === false) {
    if (files !== undefined) problems.push("the URL names certificates and is no kafkas: URL");
    return false;
  }
  const given = tls === true ? {} : tls;
  for (const name of Object.keys(given)) if (!TLS.includes(name)) problems.push(`there is no option "tls.${name}"`);
  const pem: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const variable = `WAYBILL_KAFKA_${name.toUpperCase()}`;
    const path = files?.[name] ?? env[variable];
    if (given[name] !== undefined || path === undefined) continue;
    try {
      pem[name] = readFileSync(path, "utf8");
    } catch (error) {
      const where = files?.[name] === undefined ? variable : `the URL's "${name}"`;
      problems.push(`the file of ${where} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  const result = { ...pem, ...given };
  if ((result.cert === undefined) !== (result.key === undefined)) problems.push("`tls.cert` and `tls.key` go together");
  return result;
}

/** Credentials, put together from what the options or the URL have and what the environment adds. */
export function readSasl(sasl: KafkaSasl | UrlOptions["sasl"], env: Env, problems: string[]): KafkaSasl | undefined {
  if (sasl?.mechanism === "oauthbearer") {
    if (typeof sasl.token !== "function") problems.push("`sasl.token` is no function");
    return sasl;
  }
  const username = sasl?.username ?? env.WAYBILL_KAFKA_USERNAME;
  const password = sasl?.password ?? env.WAYBILL_KAFKA_PASSWORD;
  const mechanism = sasl?.mechanism ?? env.WAYBILL_KAFKA_MECHANISM ?? "plain";
  if (username === undefined && password === undefined && sasl === undefined) return undefined;
  if (!MECHANISMS.includes(mechanism)) problems.push(`\`sasl.mechanism\` is none of ${MECHANISMS.join(", ")}, oauthbearer`);
  if (!username || !password) problems.push("`sasl` lacks a username or a password");
  return { mechanism: mechanism as "plain", username: username ?? "", password: password ?? "" };
}
