import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { TopicSpec } from "@waybill/core/transport";
import { asking, publishing, type Tamper } from "../tamper.ts";
import { idle, type Sabotage, SOON } from "./sabotage.ts";

/** Who gets what, and from where on. */
export const namingSabotages: readonly Sabotage[] = [
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
];

/** Uses another name for each topic. */
function renaming(rename: (name: string) => string): Tamper {
  const renamed = (topic: TopicSpec): TopicSpec => ({ ...topic, name: rename(topic.name) });
  return (connection) => ({
    provision: (topic, mode, options) => connection.provision(renamed(topic), mode, options),
    ...publishing((next) => (to, batch, options) => next({ ...to, topic: renamed(to.topic) }, batch, options))(connection),
    ...asking((spec) => ({ ...spec, topic: renamed(spec.topic) }))(connection),
  });
}
