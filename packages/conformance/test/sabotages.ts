import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Connection,
  type ConsumerSink,
  type Envelope,
  type Outcome,
  type Source,
  type TopicSpec,
  type TransportConsumer,
  WaybillError,
} from "@waybill/core/transport";
import { asking, delivering, passing, publishing, settling, settlingAll, sinking, type Tamper } from "./tamper.ts";

/** One broken promise, and who must notice. */
export interface Sabotage {
  readonly name: string;
  /** A new one for each run, because some count. */
  readonly tamper: () => Tamper;
  /** @default none */
  readonly like?: "kafka" | "rabbitmq";
  /** How the checks that must fail begin, and what they must say. */
  readonly caughtBy: Readonly<Record<string, RegExp>>;
}

const STORED: Outcome = { stored: true, position: undefined };
const SOON = 20;

/** Changes each envelope before it is stored. */
const storing = (change: (envelope: Envelope) => Envelope) =>
  publishing((next) => (to, batch, options) => next(to, batch.map(change), options));

/** Stores some envelopes in place of one. */
const instead = (change: (envelope: Envelope) => readonly Envelope[]) =>
  publishing((next) => async (to, batch, options) => {
    const outcomes: Outcome[] = [];
    for (const envelope of batch) outcomes.push((await next(to, change(envelope), options))[0] ?? STORED);
    return outcomes;
  });

export const sabotages: readonly Sabotage[] = [
  {
    name: "loses one message in a hundred",
    tamper() {
      let count = 0;
      return instead((envelope) => (++count % 100 === 0 ? [] : [envelope]));
    },
    caughtBy: {
      "with many topics and many": /waited .* message/,
      "a thousand messages of one publisher": /waited .* message/,
    },
  },
  {
    name: "stores one message in a hundred twice",
    tamper() {
      let count = 0;
      return instead((envelope) => (++count % 100 === 0 ? [envelope, envelope] : [envelope]));
    },
    caughtBy: {
      "with many topics and many": /more than once/,
      "a thousand messages of one publisher": /more than once/,
    },
  },
  {
    name: "stores a batch in another order",
    tamper: () =>
      publishing((next) => async (to, batch, options) => {
        const outcomes = await next(to, batch.toReversed(), options);
        return outcomes.toReversed();
      }),
    caughtBy: {
      "one member handles the messages of a key": /before/,
      "publishMany keeps": /before/,
      "asynchronous validation does not": /before/,
    },
  },
  {
    name: "lets a message overtake another now and then",
    tamper() {
      let count = 0;
      const overtaken = new Map<string, () => void>();
      return publishing((next) => async (to, batch, options) => {
        const name = `${to.topic.name}/${to.partition}`;
        if (++count % 5 === 0 && !overtaken.has(name)) {
          const passed = new Promise<void>((resolve) => overtaken.set(name, resolve));
          void Promise.race([passed, delay(10 * SOON)]).then(() => next(to, batch, options));
          return batch.map(() => STORED);
        }
        const outcomes = await next(to, batch, options);
        overtaken.get(name)?.();
        overtaken.delete(name);
        return outcomes;
      });
    },
    caughtBy: { "while members join and leave, a key": /before/ },
  },
  {
    name: "hands over a batch in another order",
    tamper: () => sinking((sink) => ({ batch: (source, messages) => sink.batch(source, backwards(messages)) })),
    caughtBy: { "one member handles the messages of a key": /before/ },
  },
  {
    name: "acknowledges early",
    tamper: () =>
      sinking((sink) => ({
        batch(source, messages) {
          void source.settle({ upTo: messages.at(-1)?.token, singles: [] });
          sink.batch(source, messages);
        },
      })),
    caughtBy: {
      "what a member had not settled": /waited .* message/,
      "what a closed member had not started": /waited .* message/,
    },
  },
  {
    name: "settles nothing",
    tamper: () => settling(() => async () => "ok"),
    caughtBy: {
      "a group goes on where it was": /more than once/,
      "close waits for handlers": /astray/,
      "a message that fails every": /astray/,
    },
  },
  {
    name: "never redelivers",
    tamper() {
      const seen = new Set<string | undefined>();
      return delivering((message) => {
        const { id } = message.attributes;
        return seen.has(id) ? undefined : seen.add(id) && message;
      });
    },
    caughtBy: {
      "what a member had not settled": /waited .* message/,
      "a member that is there already takes": /waited .* message/,
      "each group gets every message": /waited .* message/,
    },
  },
  {
    name: "drops what is unsettled when a member vanishes",
    tamper: () => settlingAll("sever"),
    caughtBy: {
      "what a member had not settled": /waited .* message/,
      "a member that is there already takes": /waited .* message/,
    },
  },
  {
    name: "drops what is not started when a member closes",
    tamper: () => settlingAll("close"),
    caughtBy: { "what a closed member had not started": /waited .* message/ },
  },
  {
    name: "resolves publish too soon",
    tamper: () => (connection) => {
      let severed = false;
      return {
        ...publishing((next) => async (to, batch, options) => {
          void delay(SOON).then(() => (severed ? undefined : next(to, batch, options)));
          return batch.map(() => STORED);
        })(connection),
        sever() {
          severed = true;
          connection.sever();
        },
      };
    },
    caughtBy: {
      "a message whose publish has resolved": /waited .* message/,
      "close waits until what was being": /waited .* message/,
    },
  },
  {
    name: "has two owners at once",
    tamper: twoOwners,
    caughtBy: {
      "members of a group share": /more than once/,
      "while members join and leave, a key": /still ran/,
      "a topic without keys gives": /more than once/,
    },
  },
  {
    name: "hands over without waiting for handlers",
    tamper: () => sinking(() => ({ losing: async () => undefined })),
    caughtBy: { "while members join and leave, a key": /still ran/ },
  },
  {
    name: "hands over before what was done is settled",
    like: "kafka",
    tamper: () => sinking(() => ({ losing: async () => undefined })),
    caughtBy: { "nothing is handled twice or lost when": /more than once/ },
  },
  {
    name: "gives everything to the first member",
    tamper() {
      const taken = new Set<string>();
      return (connection) => ({
        consume(spec, sink) {
          const name = `${spec.topic.name} ${spec.group}`;
          if (taken.has(name)) return idle;
          taken.add(name);
          return connection.consume(spec, sink);
        },
      });
    },
    caughtBy: { "members of a group share": /both members/, "topics are listed with": /1 !== 2/ },
  },
  {
    name: "mixes groups",
    tamper: () => asking((spec) => ({ ...spec, group: "everyone" })),
    caughtBy: {
      "each group gets every message": /waited .* message/,
      "topics and groups with confusable names": /waited .* message/,
    },
  },
  {
    name: "cannot tell one topic from another",
    tamper: () => renaming((name) => name.replace(/(-a)[.-]?(b)/, "$1$2")),
    caughtBy: { "topics and groups with confusable names": /waited .* message|astray/ },
  },
  {
    name: "forgets where a group was",
    tamper: () => asking((spec) => ({ ...spec, group: randomUUID() })),
    caughtBy: { "a group goes on where it was": /more than once/ },
  },
  {
    name: "says that it is ready before it is",
    tamper: () => (connection) => ({
      consume(spec, sink) {
        const late = delay(SOON).then(() => connection.consume(spec, sink));
        return { ready: Promise.resolve(), close: async (options) => (await late).close(options) };
      },
    }),
    caughtBy: { 'with from: "latest"': /waited .* message/ },
  },
  {
    name: "says that it is ready before there is a queue",
    like: "rabbitmq",
    tamper: () => (connection) => ({
      consume(spec, sink) {
        const late = delay(SOON).then(() => connection.consume(spec, sink));
        return { ready: Promise.resolve(), close: async (options) => (await late).close(options) };
      },
    }),
    caughtBy: { "nothing published after `subscribe`": /waited .* message/ },
  },
  {
    name: "begins at the end",
    tamper: () => asking((spec) => ({ ...spec, from: "latest" })),
    caughtBy: { "a new group begins": /waited .* message/, "messages published before the first": /waited .* message/ },
  },
  {
    name: "begins at the start",
    tamper: () => asking((spec) => ({ ...spec, from: "earliest" })),
    caughtBy: { 'with from: "latest"': /astray/ },
  },
  {
    name: "has its own idea of partitions",
    tamper: () =>
      publishing(
        (next) => (to, batch, options) => next({ ...to, partition: (to.partition + 1) % to.topic.partitions }, batch, options),
      ),
    caughtBy: { "a key goes to the partition": /deliveries name other/ },
  },
  {
    name: "stores what goes to a partition that is not there",
    like: "rabbitmq",
    tamper: () => (connection) => ({
      provision: async (topic, mode, options) => {
        const { partitions } = await connection.provision(topic, mode, options).catch(() => ({ partitions: topic.partitions }));
        return { partitions: Math.max(partitions, topic.partitions), drift: [] };
      },
      ...publishing((next) => async (to, batch, options) => {
        const outcomes = await next(to, batch, options);
        return outcomes.map((outcome) => (outcome.stored === true ? outcome : STORED));
      })(connection),
    }),
    caughtBy: { "publishers that disagree": /waited .* message/, "a message that no group takes": /Missing expected rejection/ },
  },
  {
    name: "takes less than it says",
    like: "kafka",
    tamper: () =>
      publishing((next) => async (to, batch, options) => {
        const large = batch.some(({ body }) => (body?.byteLength ?? 0) > 900_000);
        return large ? batch.map(() => refusal("too large")) : next(to, batch, options);
      }),
    caughtBy: { "a payload over the limit": /PUBLISH_REFUSED/, "900 KiB come back": /too large/ },
  },
  {
    name: "waits with publishing until what it handed over is settled",
    tamper() {
      let unsettled = 0;
      return (connection) => ({
        ...sinking((sink) => ({
          batch(source, messages) {
            unsettled += messages.length;
            sink.batch(source, messages);
          },
          lost(sources, why) {
            unsettled = 0;
            sink.lost(sources, why);
          },
        }))(connection),
        ...publishing((next) => async (to, batch, options) => {
          const started = Date.now();
          while (unsettled > 0 && Date.now() < started + 5_000) await delay(5);
          return next(to, batch, options);
        })(connection),
      });
    },
    caughtBy: { "a handler that publishes to the topic": /waited .* message/ },
  },
  {
    name: "hands over one message at a time",
    tamper: () => oneAtATime,
    caughtBy: {
      "different keys of one partition": /handlers at once/,
      "a message whose handler fails is tried": /waited .* message/,
    },
  },
  {
    name: "cannot write dead letters",
    tamper: () =>
      publishing(
        (next, purpose) => (to, batch, options) =>
          purpose === "publish" ? next(to, batch, options) : Promise.resolve(batch.map(() => refusal("no dead letters today"))),
      ),
    caughtBy: {
      "a message that fails every attempt": /to be settled/,
      "a handler that throws DeadLetter": /waited/,
      "what cannot be decoded": /waited/,
    },
  },
  {
    name: "forgets keys",
    tamper: () => storing((envelope) => ({ ...envelope, key: undefined })),
    caughtBy: { "a key comes back": /undefined/ },
  },
  {
    name: "forgets headers",
    tamper: () => storing((envelope) => ({ ...envelope, headers: [] })),
    caughtBy: {
      "a hundred headers": /header-0/,
      "values come back as they were": /script/,
      "names keep their case": /Tenant-Id/,
    },
  },
  {
    name: "adds a header of its own",
    tamper: () => delivering((message) => ({ ...message, headers: [...message.headers, ["x-broker", "7"]] })),
    caughtBy: { "a message without headers has none": /x-broker/, "a message of a program without": /x-broker/ },
  },
  {
    name: "takes binary headers for text",
    tamper: () =>
      delivering((message) => ({ ...message, headers: message.headers.map(([name, value]) => [name, String(value)]) })),
    caughtBy: { "its string headers come back": /blob/ },
  },
  {
    name: "forgets attributes",
    tamper: () => storing(({ attributes: { id, ...rest }, ...envelope }) => ({ ...envelope, attributes: rest, timestamp: 0 })),
    caughtBy: { "id, source, type, time": /order\/1/, "a message has an id and a time": /conformance-/ },
  },
  {
    name: "forgets where a message came from",
    tamper: () => storing(({ attributes: { causationid, ...attributes }, ...envelope }) => ({ ...envelope, attributes })),
    caughtBy: { "what a handler publishes carries": /causationId/ },
  },
  {
    name: "takes bytes for text",
    tamper: () => storing((envelope) => ({ ...envelope, body: Buffer.from(Buffer.from(envelope.body ?? []).toString()) })),
    caughtBy: { "bytes come back": /came back as other/, "900 KiB come back": /came back as other/ },
  },
  {
    name: "takes text for Latin-1",
    tamper: () =>
      storing((envelope) => ({ ...envelope, body: Buffer.from(Buffer.from(envelope.body ?? []).toString("latin1")) })),
    caughtBy: { "JSON comes back": /Zürich/ },
  },
  {
    name: "drops empty messages",
    tamper: () => instead((envelope) => (envelope.body?.byteLength === 0 ? [] : [envelope])),
    caughtBy: { "an empty payload": /waited .* payloads/ },
  },
  {
    name: "gives up when the broker is down",
    tamper: () => (connection) =>
      publishing(
        (next) => async (to, batch, options) =>
          connection.health().status === "down" ? batch.map(() => refusal("the broker is down")) : next(to, batch, options),
      )(connection),
    caughtBy: { "a broker that goes away": /the broker is down/ },
  },
  {
    name: "gives up the first connection when the broker is down",
    tamper: () => (connection) => ({
      async ready(options) {
        if (connection.health().status === "down") throw new WaybillError("WAYBILL_CONNECTION_FAILED", "the broker is down");
        await connection.ready(options);
      },
    }),
    caughtBy: { "a first connection attempted": /while the broker was down/ },
  },
  {
    name: "tries refused credentials for ever",
    tamper: () => () => ({ ready: never, provision: never }),
    caughtBy: { "wrong credentials reject": /AUTHENTICATION_FAILED/ },
  },
  {
    name: "keeps what was deleted",
    tamper: () => (connection) => ({ admin: { ...admin(connection), deleteTopic: async () => undefined } }),
    caughtBy: { "a topic that was deleted": /partitions/ },
  },
  {
    name: "lists no topics",
    tamper: () => (connection) => ({ admin: { ...admin(connection), topics: async () => [] } }),
    caughtBy: { "topics are listed with": /partitions/ },
  },
  {
    name: "creates what it was asked to check",
    tamper: () => (connection) => ({ provision: (topic, _, options) => connection.provision(topic, "create", options) }),
    caughtBy: { 'with provision: "check"': /Missing expected rejection/ },
  },
  {
    name: "always says that it is down",
    tamper: () => () => ({ health: () => ({ status: "down", problems: ["so it seems"] }) }),
    caughtBy: { "a bus that works is up": /so it seems/ },
  },
  {
    name: "does not close",
    tamper: () => () => ({ close: never }),
    caughtBy: { "close may be called again": /close/ },
  },
  {
    name: "ignores prefixes",
    tamper: () => renaming((name) => name.replace(/^(red|blue)\./, "")),
    caughtBy: { "buses with different prefixes": /waited .* message|astray/ },
  },
  {
    name: "hears of one topic only",
    tamper: () => {
      const topics = new Map<string, string>();
      return (connection) => ({
        consume(spec, sink) {
          const first = topics.get(spec.group) ?? spec.topic.name;
          topics.set(spec.group, first);
          return first === spec.topic.name ? connection.consume(spec, sink) : idle;
        },
      });
    },
    caughtBy: { "one group on two topics": /waited .* message/ },
  },
];

function backwards<T>(messages: readonly (T & { token: number })[]): T[] {
  const tokens = messages.map(({ token }) => token);
  return messages.toReversed().map((message, i) => ({ ...message, token: tokens[i] ?? 0 }));
}

function refusal(why: string): Outcome {
  return { stored: false, retry: false, error: new WaybillError("WAYBILL_PUBLISH_REFUSED", why) };
}

const never = () => new Promise<never>(() => undefined);

function admin({ admin: real }: Pick<Connection, "admin">) {
  return {
    topics: () => real.topics(),
    groups: (topic: string) => real.groups(topic),
    deleteTopic: (topic: string) => real.deleteTopic(topic),
  };
}

/** Uses another name for each topic. */
function renaming(rename: (name: string) => string): Tamper {
  const renamed = (topic: TopicSpec): TopicSpec => ({ ...topic, name: rename(topic.name) });
  return (connection) => ({
    provision: (topic, mode, options) => connection.provision(renamed(topic), mode, options),
    ...publishing((next) => (to, batch, options) => next({ ...to, topic: renamed(to.topic) }, batch, options))(connection),
    ...asking((spec) => ({ ...spec, topic: renamed(spec.topic) }))(connection),
  });
}

/** Every member of a group also gets what belongs to the others. */
function twoOwners(): Tamper {
  const members = new Map<string, Set<ConsumerSink>>();
  return (connection) => ({
    consume(spec, sink) {
      const name = `${spec.topic.name} ${spec.group}`;
      const all = members.get(name) ?? new Set();
      members.set(name, all.add(sink));
      const copies = new Map<ConsumerSink, Source>();
      const consumer = connection.consume(spec, {
        ...passing(sink),
        batch(source, messages) {
          sink.batch(source, messages);
          for (const other of all) {
            if (other === sink) continue;
            const copy = copies.get(other) ?? {
              ...inert,
              id: `${source.id}-copy`,
              epoch: randomUUID(),
              partition: source.partition,
            };
            if (!copies.has(other)) other.gained(copy, { committed: undefined, gap: false });
            copies.set(other, copy);
            other.batch(copy, messages);
          }
        },
      });
      const close: typeof consumer.close = (options) => {
        all.delete(sink);
        return consumer.close(options);
      };
      return { ready: consumer.ready, close };
    },
  });
}

/** Consumes nothing. */
const idle: TransportConsumer = { ready: Promise.resolve(), close: async () => undefined };

const inert = { pause: () => undefined, resume: () => undefined, settle: async () => "ok" as const };

/** The next message of a source comes when the one before is settled. */
const oneAtATime: Tamper = (connection) => {
  const waiting = new Map<string, (() => void)[]>();
  const next = ({ id }: Source) => waiting.get(id)?.shift()?.();
  const slow = settling((source) => async (what) => {
    const answer = await source.settle(what);
    next(source);
    return answer;
  });
  return slow({
    ...connection,
    consume: (spec, sink) =>
      connection.consume(spec, {
        ...passing(sink),
        batch(source, messages) {
          const queue = waiting.get(source.id) ?? [];
          const idle = !waiting.has(source.id);
          waiting.set(source.id, queue);
          for (const message of messages) queue.push(() => sink.batch(source, [message]));
          if (idle) next(source);
        },
      }),
  });
};
