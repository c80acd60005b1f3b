import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Codec } from "./codec.ts";
import { WaybillError } from "./errors.ts";
import { checkGroupName, checkTopicName } from "./names.ts";
import { type Duration, toMilliseconds } from "./units.ts";

type Schema = StandardSchemaV1;
type In<S extends Schema> = StandardSchemaV1.InferInput<S>;
type Out<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** Per event type: `input` is what publish takes (and what is sent), `output` what handlers get. */
export interface EventTypes {
  readonly [type: string]: { readonly input: unknown; readonly output: unknown };
}

/** `"single"`: one schema, and publish takes no event name. `"events"`: a schema for each named event. */
export type Form = "single" | "events";

/** A named stream with a contract: plain immutable data, safe to share between buses. */
export interface Topic<E extends EventTypes = EventTypes, F extends Form = Form> {
  readonly name: string;
  readonly form: F;
  /** By event type; a topic of one schema has it under its own name. */
  readonly schemas: { readonly [K in keyof E]: StandardSchemaV1<E[K]["input"], E[K]["output"]> };
  readonly options: Readonly<TopicOptions>;
}

/** What a contract says beside its schemas: how its topic stands on a broker. */
export interface TopicOptions {
  /** The unit of order: how many members of a group can share the topic. @default 4 */
  partitions?: number | undefined;
  /** How long a log keeps messages for replay. A broker without a log keeps a message until its groups have settled it. @default the broker's */
  retention?: Duration | undefined;
  /** Groups provisioned before the first publish. */
  groups?: readonly string[] | undefined;
  /** What publish does on a broker that would lose an unrouted message. @default "reject" */
  unrouted?: "reject" | "drop" | undefined;
  /** @default JSON */
  codec?: Codec | undefined;
}

/** A topic's key function as core calls it. */
export type KeyOf = (message: { readonly type: string; readonly payload: unknown }) => unknown;

const keys = new WeakMap<Topic, KeyOf>();

/**
 * A contract from one schema, from several named events, or (no definition) unchecked `unknown`.
 * Schemas are of any Standard Schema library. Throws `TOPIC_INVALID` for a name, option or schema that no broker could honour.
 */
export function topic<S extends Readonly<Record<string, Schema>> = never, P extends Schema = StandardSchemaV1<unknown>>(
  name: string,
  definition?: TopicOptions &
    ({ events: S; schema?: never } | { schema?: P; events?: never }) & {
      /** Order and partition of a message, from its validated payload. Without it the topic promises no order. */
      key?: (
        message: [S] extends [never]
          ? { type: string; payload: Out<P> }
          : { [K in keyof S & string]: { type: K; payload: Out<S[K]> } }[keyof S & string],
      ) => string;
    },
): [S] extends [never]
  ? Topic<{ readonly [type: string]: { readonly input: In<P>; readonly output: Out<P> } }, "single">
  : Topic<{ readonly [K in keyof S]: { readonly input: In<S[K]>; readonly output: Out<S[K]> } }, "events">;
export function topic(name: string, definition: Definition = {}): Topic {
  checkTopicName(name);
  const { events, schema, key, ...options } = definition;
  checkDefinition(name, definition);
  const made: Topic = Object.freeze({
    name,
    form: events === undefined ? "single" : "events",
    schemas: Object.freeze({ ...(events ?? { [name]: schema ?? unchecked() }) }),
    options: Object.freeze(options),
  });
  if (key !== undefined) keys.set(made, key);
  return made;
}

interface Definition extends TopicOptions {
  events?: Readonly<Record<string, Schema>>;
  schema?: Schema;
  key?: KeyOf;
}

/** The key function of a topic, if it promises order. */
export function keyOf(topic: Topic): KeyOf | undefined {
  return keys.get(topic);
}

/** A schema that checks nothing: types without validation. */
export function unchecked<T>(): StandardSchemaV1<T, T> {
  return { "~standard": { version: 1, vendor: "waybill", validate: (value) => ({ value: value as T }) } };
}

const MEMBERS = new Set(["events", "schema", "key", "partitions", "retention", "groups", "unrouted", "codec"]);

function checkDefinition(name: string, definition: Definition): void {
  const { events, schema, key, partitions, retention, groups, unrouted, codec } = definition;
  const problems: string[] = [];
  for (const member in definition) if (!MEMBERS.has(member)) problems.push(`there is no option "${member}"`);
  if (events !== undefined && schema !== undefined) problems.push('"schema" and "events" exclude each other');
  if (schema !== undefined && !isSchema(schema)) problems.push('"schema" is not a Standard Schema');
  for (const [type, one] of Object.entries(events ?? {})) {
    if (!isSchema(one)) problems.push(`the schema of "${type}" is not a Standard Schema`);
    if (!/^[\x21-\x7e]{1,200}$/.test(type))
      problems.push(`${JSON.stringify(type)} is no event name (1 to 200 visible ASCII characters)`);
  }
  if (events !== undefined && Object.keys(events).length === 0) problems.push('"events" is empty');
  if (key !== undefined && typeof key !== "function") problems.push('"key" is not a function');
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1 && partitions <= 1_000)) {
    problems.push(`"partitions" is ${partitions}, not a whole number from 1 to 1000`);
  }
  if (retention !== undefined && !((toMilliseconds(retention) ?? 0) >= 1_000)) {
    problems.push(`"retention" is ${JSON.stringify(retention)}, not a duration of a second or more such as "7d"`);
  }
  if (groups !== undefined && !Array.isArray(groups)) problems.push('"groups" is not a list of names');
  if (unrouted !== undefined && unrouted !== "reject" && unrouted !== "drop")
    problems.push('"unrouted" is neither "reject" nor "drop"');
  if (codec !== undefined && (typeof codec.encode !== "function" || typeof codec.decode !== "function" || !codec.contentType)) {
    problems.push('"codec" lacks encode, decode or contentType');
  }
  if (problems.length > 0) {
    throw new WaybillError("WAYBILL_TOPIC_INVALID", `Topic "${name}" is not valid: ${problems.join("; ")}.`, { topic: name });
  }
  for (const group of groups ?? []) checkGroupName(group);
}

function isSchema(value: unknown): value is Schema {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}
