import type { Backoff } from "../backoff.ts";
import { UnsupportedError, WaybillError } from "../errors.ts";
import { checkGroupName } from "../names.ts";
import type { Plugin } from "../plugin.ts";
import { keyOf, type Topic } from "../topic.ts";
import type { Capabilities } from "../transport.ts";
import { type Duration, toMilliseconds } from "../units.ts";

/** How often a handler is called for one message, and how long the wait between is. */
export interface RetryPolicy {
  /** Handler calls in all, the first included. @default 5 */
  attempts?: number | undefined;
  /** Each wait is a random part of this span, which grows by `factor` (2) up to `max` where it is an object. Only the message's key waits. @default { initial: "100ms", max: "10s" } */
  backoff?: Duration | { initial: Duration; max?: Duration | undefined; factor?: number | undefined } | undefined;
}

/** What a subscription may need of a transport beyond what every one has. */
export type Need = "replay" | "delay" | "retention" | "single-settlement" | "transactions";

export interface ConsumeOptions {
  /** Each group gets its own copy of a topic; members of one group share it. @default the bus's `app` */
  group?: string | undefined;
  /** Where a group that has no position yet begins; else ignored. @default "earliest" */
  from?: "earliest" | "latest" | Date | undefined;
  /** `"key"`: messages of one key one at a time, in order. @default "key" on a keyed topic, else "none" */
  order?: "key" | "none" | undefined;
  /** Handlers that run at once in this subscription. @default 10 */
  concurrency?: number | undefined;
  retry?: RetryPolicy | undefined;
  /** A message whose type has no handler: settled and counted, or dead-lettered. @default "ignore" */
  unhandled?: "ignore" | "dead-letter" | undefined;
  /** Aborts the handler's `signal`; its lane waits until it has returned, and how it ends decides. @default none */
  timeout?: Duration | undefined;
  /** Plugins of this subscription alone, inside those of the bus. */
  use?: readonly Plugin[] | undefined;
  /** Refused at once when the transport lacks one. */
  needs?: readonly Need[] | undefined;
}

/** {@link ConsumeOptions} after the defaults. */
export interface ResolvedConsume {
  readonly group: string;
  readonly from: "earliest" | "latest" | Date;
  readonly keyed: boolean;
  readonly concurrency: number;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly unhandled: "ignore" | "dead-letter";
  readonly timeout: number | undefined;
  readonly use: readonly Plugin[];
}

const MEMBERS = ["group", "from", "order", "concurrency", "retry", "unhandled", "timeout", "use", "needs"];

/** Every problem of a subscription's options in one `CONFIG_INVALID`; a need that the transport lacks as {@link UnsupportedError}. */
export function resolveConsume(
  topic: Topic,
  options: ConsumeOptions,
  app: string | undefined,
  transport: string,
  can: Capabilities,
): ResolvedConsume {
  const { group = app, from = "earliest", concurrency = 10, retry = {}, unhandled = "ignore", use = [] } = options;
  const problems: string[] = [];
  const must = (ok: boolean, problem: string) => void (ok || problems.push(problem));
  for (const member in options) must(MEMBERS.includes(member), `there is no option "${member}"`);
  for (const member in retry) must(member === "attempts" || member === "backoff", `there is no option "retry.${member}"`);
  must(group !== undefined, 'there is no group: give "group", or "app" to the bus');
  must(from === "earliest" || from === "latest" || isDate(from), '"from" is neither "earliest", "latest" nor a Date');
  must(isCount(concurrency), `"concurrency" is ${String(concurrency)}, not a whole number from 1`);
  must(isCount(retry.attempts ?? 1), `"retry.attempts" is ${String(retry.attempts)}, not a whole number from 1`);
  must(unhandled === "ignore" || unhandled === "dead-letter", '"unhandled" is neither "ignore" nor "dead-letter"');
  must([undefined, "key", "none"].includes(options.order), '"order" is neither "key" nor "none"');
  must(Array.isArray(use), '"use" is not a list of plugins');
  const timeout = options.timeout === undefined ? undefined : toMilliseconds(options.timeout);
  must(
    options.timeout === undefined || (timeout ?? 0) > 0,
    `"timeout" is ${JSON.stringify(options.timeout)}, not a duration such as "30s"`,
  );
  const backoff = resolveBackoff(retry.backoff);
  must(backoff !== undefined, `"retry.backoff" is ${JSON.stringify(retry.backoff)}, not a duration or { initial, max, factor }`);
  const keyed = keyOf(topic) !== undefined;
  must(options.order !== "key" || keyed, 'order "key" needs a topic with a "key"');
  if (problems.length > 0 || backoff === undefined || group === undefined) {
    const message = `The subscription to "${topic.name}" is not valid: ${problems.join("; ")}.`;
    throw new WaybillError("WAYBILL_CONFIG_INVALID", message, { topic: topic.name, group });
  }
  checkGroupName(group);
  checkNeeds(topic, group, [...(options.needs ?? []), ...(isDate(from) ? (["replay"] as const) : [])], transport, can);
  const attempts = retry.attempts ?? 5;
  return { group, from, keyed: keyed && options.order !== "none", concurrency, attempts, backoff, unhandled, timeout, use };
}

function checkNeeds(topic: Topic, group: string, needs: readonly Need[], transport: string, can: Capabilities): void {
  const met: Record<Need, boolean> = {
    replay: can.log,
    retention: can.log,
    delay: can.delay,
    "single-settlement": can.singleSettlement,
    transactions: can.transactions,
  };
  for (const need of needs) {
    if (met[need]) continue;
    const message = `The subscription of "${group}" to "${topic.name}" needs "${need}", which ${transport} does not have.`;
    throw new UnsupportedError(need, message, {
      topic: topic.name,
      group,
      hint: "Use a transport that has it, or do without the need.",
    });
  }
}

function resolveBackoff(given: RetryPolicy["backoff"]): Backoff | undefined {
  const {
    initial,
    max,
    factor = 2,
  } = typeof given === "object" ? given : { initial: given ?? "100ms", max: given ?? "10s", factor: 2 };
  const first = toMilliseconds(initial);
  const last = toMilliseconds(max ?? "10s");
  if (first === undefined || last === undefined || !(factor >= 1)) return undefined;
  return { initial: first, max: Math.max(first, last), factor };
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1;
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
