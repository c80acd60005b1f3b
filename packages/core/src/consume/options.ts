import type { Backoff } from "../backoff.ts";
import { UnsupportedError, WaybillError } from "../errors.ts";
import { checkGroupName } from "../names.ts";
import type { Plugin } from "../plugin.ts";
import { keyOf, type Topic } from "../topic.ts";
import type { Capabilities } from "../transport.ts";
import { type Duration, type Size, toBytes, toMilliseconds } from "../units.ts";
import type { FailurePolicy } from "./policy.ts";
import type { Gathering } from "./verdict.ts";

/** How often a handler is called for one message, and how long the wait between is. */
export interface RetryPolicy {
  /** Handler calls in all, the first included. @default 5 */
  attempts?: number | undefined;
  /** Each wait is a random part of this span, which grows by `factor` (2) up to `max` where it is an object. Only the message's key waits. @default { initial: "100ms", max: "10s" } */
  backoff?: Duration | { initial: Duration; max?: Duration | undefined; factor?: number | undefined } | undefined;
  /** False for an error that no further attempt can cure: the message is dead-lettered at once. @default every error is retried */
  retryIf?: ((error: unknown) => boolean) | undefined;
  /**
   * Delayed destinations, such as `["1m", "10m"]`: a message whose attempts in place are spent goes through them in turn, with one more call after
   * each. That frees its key, so it needs `order: "none"`; and a transport with `delay`. @default none
   */
  later?: readonly Duration[] | undefined;
}

/** What a subscription may need of a transport beyond what every one has. */
export type Need = "replay" | "delay" | "retention" | "single-settlement" | "transactions";

/** Options of a subscription. Times are durations such as `"30s"`. */
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
  /**
   * What becomes of a message whose attempts are spent. `"dead-letter"`: it goes to the group's dead letters, and its key goes on without it.
   * `"block"`: its key waits until {@link Subscription.release} or a restart. `"stop"`: its whole partition does. Other keys, or partitions, go on as
   * far as the bounds of memory allow. @default "dead-letter"
   */
  onFailure?: "dead-letter" | "block" | "stop" | undefined;
  /** A message whose type has no handler: settled and counted, or dead-lettered. @default "ignore" */
  unhandled?: "ignore" | "dead-letter" | undefined;
  /** Aborts the handler's `signal`; its lane waits until it has returned, and how it ends decides. @default none */
  timeout?: Duration | undefined;
  /** When a handler that has not come back is reported: a `stuck` event, a log line, and health is degraded. @default "1m" */
  stuckAfter?: Duration | undefined;
  /** Plugins of this subscription alone, inside those of the bus. */
  use?: readonly Plugin[] | undefined;
  /** Refused at once when the transport lacks one. */
  needs?: readonly Need[] | undefined;
}

/** Options of a subscription to batches; `concurrency` counts batches. @default concurrency 1 */
export interface BatchOptions extends ConsumeOptions {
  /** Messages in a batch. @default 100 */
  maxSize?: number | undefined;
  /** How long the first message of a batch waits for others. @default "100ms" */
  maxWait?: Duration | undefined;
  /** Bytes in a batch; one larger message comes alone. @default "1MiB" */
  maxBytes?: Size | undefined;
}

/** {@link ConsumeOptions} after the defaults. */
export interface ResolvedConsume {
  readonly group: string;
  readonly from: "earliest" | "latest" | Date;
  readonly keyed: boolean;
  readonly concurrency: number;
  readonly policy: FailurePolicy;
  readonly unhandled: "ignore" | "dead-letter";
  readonly timeout: number | undefined;
  readonly stuckAfter: number;
  readonly use: readonly Plugin[];
}

/** What the window of a subscription surely has room for. */
const MOST_IN_BATCH = 10_000;
const MEMBERS = [
  "group",
  "from",
  "order",
  "concurrency",
  "retry",
  "onFailure",
  "unhandled",
  "timeout",
  "stuckAfter",
  "use",
  "needs",
];

/** Every problem of a subscription's options in one `CONFIG_INVALID`; a need that the transport lacks as {@link UnsupportedError}. */
export function resolveConsume(
  topic: Topic,
  options: ConsumeOptions,
  app: string | undefined,
  transport: string,
  can: Capabilities,
): ResolvedConsume {
  const {
    group = app,
    from = "earliest",
    concurrency = 10,
    retry = {},
    unhandled = "ignore",
    onFailure = "dead-letter",
    use = [],
  } = options;
  const problems: string[] = [];
  const must = (ok: boolean, problem: string) => void (ok || problems.push(problem));
  for (const member in options) must(MEMBERS.includes(member), `there is no option "${member}"`);
  for (const member in retry)
    must(["attempts", "backoff", "retryIf", "later"].includes(member), `there is no option "retry.${member}"`);
  must(group !== undefined, 'there is no group: give "group", or "app" to the bus');
  must(from === "earliest" || from === "latest" || isDate(from), '"from" is neither "earliest", "latest" nor a Date');
  must(isCount(concurrency), `"concurrency" is ${String(concurrency)}, not a whole number from 1`);
  must(isCount(retry.attempts ?? 1), `"retry.attempts" is ${String(retry.attempts)}, not a whole number from 1`);
  must(retry.retryIf === undefined || typeof retry.retryIf === "function", '"retry.retryIf" is no function');
  const later = (retry.later ?? []).map(toMilliseconds).filter((ms) => ms !== undefined && ms >= 1_000) as number[];
  must(
    later.length === (retry.later?.length ?? 0),
    '"retry.later" holds something else than durations of a second or more such as "1m"',
  );
  must(
    later.every((ms, i) => i === 0 || ms > (later[i - 1] as number)),
    '"retry.later" does not grow from one to the next',
  );
  must(["dead-letter", "block", "stop"].includes(onFailure), '"onFailure" is none of "dead-letter", "block", "stop"');
  must(unhandled === "ignore" || unhandled === "dead-letter", '"unhandled" is neither "ignore" nor "dead-letter"');
  must([undefined, "key", "none"].includes(options.order), '"order" is neither "key" nor "none"');
  must(Array.isArray(use), '"use" is not a list of plugins');
  const timeout = options.timeout === undefined ? undefined : toMilliseconds(options.timeout);
  must(
    options.timeout === undefined || (timeout ?? 0) > 0,
    `"timeout" is ${JSON.stringify(options.timeout)}, not a duration such as "30s"`,
  );
  const stuckAfter = toMilliseconds(options.stuckAfter ?? "1m") ?? 0;
  must(stuckAfter > 0, `"stuckAfter" is ${JSON.stringify(options.stuckAfter)}, not a duration such as "1m"`);
  const backoff = resolveBackoff(retry.backoff);
  must(backoff !== undefined, `"retry.backoff" is ${JSON.stringify(retry.backoff)}, not a duration or { initial, max, factor }`);
  const keyed = keyOf(topic) !== undefined;
  must(options.order !== "key" || keyed, 'order "key" needs a topic with a "key"');
  const ordered = keyed && options.order !== "none";
  must(!ordered || later.length === 0, '"retry.later" frees the key of a message while that waits, so it needs order "none"');
  must(ordered || onFailure !== "block", 'onFailure "block" holds a key, so it needs order "key"');
  if (problems.length > 0 || backoff === undefined || group === undefined) {
    const message = `The subscription to "${topic.name}" is not valid: ${problems.join("; ")}.`;
    throw new WaybillError("WAYBILL_CONFIG_INVALID", message, { topic: topic.name, group });
  }
  checkGroupName(group);
  checkNeeds(
    topic,
    group,
    [...(options.needs ?? []), ...(isDate(from) ? (["replay"] as const) : []), ...(later.length > 0 ? (["delay"] as const) : [])],
    transport,
    can,
  );
  const policy: FailurePolicy = { attempts: retry.attempts ?? 5, backoff, retryIf: retry.retryIf, later, onFailure };
  return { group, from, keyed: ordered, concurrency, policy, unhandled, timeout, stuckAfter, use };
}

/** The batch part of the options, as the dispatcher takes it. Throws `CONFIG_INVALID`. */
export function resolveBatch(topic: Topic, options: BatchOptions): { gathering: Gathering; rest: ConsumeOptions } {
  const { maxSize = 100, maxWait = "100ms", maxBytes = "1MiB", ...rest } = options;
  const problems: string[] = [];
  const wait = toMilliseconds(maxWait);
  const bytes = toBytes(maxBytes);
  if (!isCount(maxSize) || maxSize > MOST_IN_BATCH)
    problems.push(`"maxSize" is ${String(maxSize)}, not a whole number from 1 to ${MOST_IN_BATCH}`);
  if (wait === undefined) problems.push(`"maxWait" is ${JSON.stringify(maxWait)}, not a duration such as "1s"`);
  if (bytes === undefined || bytes < 1) problems.push(`"maxBytes" is ${JSON.stringify(maxBytes)}, not a size such as "1MiB"`);
  if (problems.length > 0 || wait === undefined || bytes === undefined) {
    const message = `The subscription to batches of "${topic.name}" is not valid: ${problems.join("; ")}.`;
    throw new WaybillError("WAYBILL_CONFIG_INVALID", message, { topic: topic.name });
  }
  return { gathering: { messages: maxSize, bytes, wait }, rest: { concurrency: 1, ...rest } };
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
