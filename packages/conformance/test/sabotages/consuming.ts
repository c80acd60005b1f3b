import { randomUUID } from "node:crypto";
import type { ConsumerSink, Source } from "@waybill/core/transport";
import { delivering, passing, settling, settlingAll, sinking, type Tamper } from "../tamper.ts";
import type { Sabotage } from "./sabotage.ts";

/** Promises to those who handle messages. */
export const consumingSabotages: readonly Sabotage[] = [
  {
    name: "hands over a batch in another order",
    tamper: () => sinking((sink) => ({ batch: (source, messages) => sink.batch(source, backwards(messages)) })),
    caughtBy: { "one member handles the messages of a key": /before/ },
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
      "what was blocked comes to": /waited .* message/,
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
];

function backwards<T>(messages: readonly (T & { token: number })[]): T[] {
  const tokens = messages.map(({ token }) => token);
  return messages.toReversed().map((message, i) => ({ ...message, token: tokens[i] ?? 0 }));
}

const inert = { pause: () => undefined, resume: () => undefined, settle: async () => "ok" as const };

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

/** The next message of a source comes when the one before is settled. */
const oneAtATime: Tamper = (connection) => {
  const waiting = new Map<string, (() => void)[]>();
  const next = ({ id }: Source) => waiting.get(id)?.shift()?.();
  const queued: Tamper = sinking((sink) => ({
    batch(source, messages) {
      const first = !waiting.has(source.id);
      const queue = waiting.get(source.id) ?? [];
      waiting.set(source.id, queue);
      for (const message of messages) queue.push(() => sink.batch(source, [message]));
      if (first) next(source);
    },
  }));
  const slow = settling((source) => async (what) => {
    const answer = await source.settle(what);
    next(source);
    return answer;
  });
  return slow({ ...connection, ...queued(connection) });
};
