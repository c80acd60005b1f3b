import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { WaybillError } from "./errors.ts";
import type { Transport } from "./transport.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "memory:": "@waybill/memory",
  "kafka:": "@waybill/kafka",
  "kafkas:": "@waybill/kafka",
  "amqp:": "@waybill/rabbitmq",
  "amqps:": "@waybill/rabbitmq",
};

/** What an adapter package exports for its URL schemes. */
interface Adapter {
  fromUrl(url: string): Transport;
}

/**
 * Finds the adapter of a URL's scheme among what the application installed, and returns how to load it. Throws `TRANSPORT_MISSING` where there is
 * none, naming the package to install. The URL itself never appears in an error: it may hold a password.
 */
export function findAdapter(url: string): () => Promise<Transport> {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase() ?? "";
  const name = PACKAGES[scheme];
  if (name === undefined) {
    const what = scheme === "" ? "The transport is no URL" : `There is no transport for "${scheme}" URLs`;
    const known = Object.entries(PACKAGES).map(([known, adapter]) => `${known} (npm install ${adapter})`);
    throw new WaybillError("WAYBILL_TRANSPORT_MISSING", `${what}.`, {
      hint: `Known are ${known.join(", ")}; of any other give the object.`,
    });
  }
  const file = resolve(name);
  if (file === undefined) {
    const hint = `Run: npm install ${name}`;
    throw new WaybillError(
      "WAYBILL_TRANSPORT_MISSING",
      `The transport "${scheme}" needs the package ${name}, which is not installed.`,
      { hint },
    );
  }
  return async () => {
    const adapter = (await import(pathToFileURL(file).href)) as Adapter;
    return adapter.fromUrl(url);
  };
}

/** From the application first: with a strict package manager the adapter stands beside the application, not beside core. */
function resolve(name: string): string | undefined {
  const bases = [process.argv[1], `${process.cwd()}/index.js`, import.meta.filename];
  for (const base of bases) {
    if (base === undefined) continue;
    try {
      return createRequire(pathToFileURL(base)).resolve(name);
    } catch {
      // Not there: the next place.
    }
  }
  return undefined;
}
