import type { KafkaTls } from "./options.ts";

/** What a URL can say. Values are still unread text. */
export interface UrlOptions {
  brokers?: readonly string[];
  tls?: boolean | KafkaTls;
  /** Paths of PEM files. */
  files?: { ca?: string; cert?: string; key?: string };
  sasl?: { mechanism?: "plain"; username?: string; password?: string };
  compression?: string;
  sessionTimeout?: string;
  metadataRefresh?: string;
  maxMessageBytes?: string;
  assignor?: string;
  replicationFactor?: string;
}

const PARAMETERS = [
  "compression",
  "sessionTimeout",
  "metadataRefresh",
  "maxMessageBytes",
  "assignor",
  "replicationFactor",
] as const;

/** Takes a `kafka:` or `kafkas:` URL apart, which may name several hosts; what is wrong with it goes to `problems`. */
export function parseUrl(url: string, problems: string[]): UrlOptions {
  const parts = /^(kafkas?):\/\/(?:([^/?#]*)@)?([^/?#]+)\/?(?:\?([^#]*))?$/.exec(url);
  if (parts === null) {
    problems.push("the URL is not of the form kafka://host:port,host:port?option=value");
    return {};
  }
  const [, scheme, user, hosts = "", query] = parts;
  const result: UrlOptions = {
    brokers: hosts.split(",").map((host) => (/:\d+$/.test(host) ? host : `${host}:9092`)),
  };
  if (scheme === "kafkas") result.tls = true;
  if (user !== undefined) {
    const [username, password] = user.split(/:(.*)/s, 2);
    result.sasl = { username: decode(username, problems) };
    if (password !== undefined) result.sasl.password = decode(password, problems);
  }
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "ca" || name === "cert" || name === "key") result.files = { ...result.files, [name]: value };
    else if (name === "mechanism") result.sasl = { ...result.sasl, mechanism: value as "plain" };
    else if (PARAMETERS.includes(name as "compression")) result[name as "compression"] = value;
    else problems.push(`there is no URL parameter "${name}"`);
  }
  return result;
}

function decode(text = "", problems: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.push("the user or password of the URL is not percent-encoded");
    return "";
  }
}
