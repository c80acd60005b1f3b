import { WaybillError } from "./errors.ts";
import { findAdapter } from "./load.ts";
import { defaultLogger, type Logger } from "./logger.ts";
import type { Provision, Transport } from "./transport.ts";
import { type Size, toBytes } from "./units.ts";

/** Options of {@link createBus}. One in code wins over a `WAYBILL_*` variable. */
export interface BusOptions {
  /** Default group, CloudEvents source and client id. @default WAYBILL_APP */
  app?: string | undefined;
  /** A transport, or the URL of an installed one. @default WAYBILL_TRANSPORT; without either `createBus` throws */
  transport?: string | Transport | undefined;
  /** In front of every name on the broker; handlers never see it. */
  prefix?: string | undefined;
  /** What is missing on the broker: create it, refuse, or do not look. @default "create" */
  provision?: Provision | undefined;
  /** @default warnings and errors on standard error */
  logger?: Logger | undefined;
  /** Limit of publishes in flight; past it `publish` waits. @default { messages: 10_000, bytes: "64MiB" } */
  maxInFlight?: { messages?: number | undefined; bytes?: Size | undefined } | undefined;
}

/** {@link BusOptions} after the defaults. */
export interface ResolvedBus {
  readonly app: string | undefined;
  /** The transport itself, or how to load it. */
  readonly transport: Transport | (() => Promise<Transport>);
  readonly prefix: string;
  readonly provision: Provision;
  readonly logger: Logger;
  readonly maxInFlight: { readonly messages: number; readonly bytes: number };
}

const MEMBERS = ["app", "transport", "prefix", "provision", "logger", "maxInFlight"];

/** Throws every problem in one `CONFIG_INVALID`, and `TRANSPORT_MISSING` where there is no transport. */
export function resolveBus(options: BusOptions, env: NodeJS.ProcessEnv): ResolvedBus {
  const {
    app = env.WAYBILL_APP,
    transport = env.WAYBILL_TRANSPORT,
    prefix = "",
    provision = "create",
    logger = defaultLogger,
  } = options;
  const { messages = 10_000, bytes = "64MiB" } = options.maxInFlight ?? {};
  const problems: string[] = [];
  const must = (ok: boolean, problem: string) => void (ok || problems.push(problem));
  for (const member in options) must(MEMBERS.includes(member), `there is no option "${member}"`);
  must(
    app === undefined || /^[\x21-\x7e]{1,200}$/.test(app),
    `"app" is ${JSON.stringify(app)}, not a name of visible ASCII characters`,
  );
  must(
    /^[A-Za-z0-9._-]{0,60}$/.test(prefix),
    `"prefix" is ${JSON.stringify(prefix)}, not up to 60 letters, digits, ".", "_" and "-"`,
  );
  must(["create", "check", "off"].includes(provision), '"provision" is none of "create", "check", "off"');
  must(
    (["debug", "info", "warn", "error"] as const).every((level) => typeof logger?.[level] === "function"),
    '"logger" lacks debug, info, warn or error',
  );
  must(Number.isInteger(messages) && messages >= 1, '"maxInFlight.messages" is not a whole number from 1');
  must((toBytes(bytes) ?? 0) >= 1, `"maxInFlight.bytes" is ${JSON.stringify(bytes)}, not a size such as "64MiB"`);
  must(typeof transport !== "object" || typeof transport.connect === "function", '"transport" is neither a URL nor a transport');
  if (problems.length > 0) throw new WaybillError("WAYBILL_CONFIG_INVALID", `The bus is not valid: ${problems.join("; ")}.`);
  if (transport === undefined || transport === "") {
    throw new WaybillError("WAYBILL_TRANSPORT_MISSING", "There is no transport.", {
      hint: 'Give "transport" or set WAYBILL_TRANSPORT, such as kafka://localhost:9092, amqp://localhost, or memory: for tests.',
    });
  }
  return {
    app,
    transport: typeof transport === "string" ? findAdapter(transport) : transport,
    prefix,
    provision,
    logger,
    maxInFlight: { messages, bytes: toBytes(bytes) ?? 0 },
  };
}
