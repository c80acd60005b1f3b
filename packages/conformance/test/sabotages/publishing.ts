import { setTimeout as delay } from "node:timers/promises";
import { publishing, sinking } from "../tamper.ts";
import { instead, refusal, type Sabotage, SOON, STORED } from "./sabotage.ts";

/** Promises to those who publish. */
export const publishingSabotages: readonly Sabotage[] = [
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
    name: "brings back early what was to wait",
    tamper: () =>
      publishing((next) => (to, batch, options) => next(to.kind === "delay" ? { ...to, ms: to.ms / 10 } : to, batch, options)),
    caughtBy: { "a message that is tried again later": /came again after/ },
  },
  {
    name: "loses dead letters",
    tamper: () =>
      publishing(
        (next) => async (to, batch, options) => (to.kind === "dead" ? batch.map(() => STORED) : next(to, batch, options)),
      ),
    caughtBy: {
      "a dead letter says what failed": /waited .* dead letters/,
      "dead letters are listed oldest first": /waited .* dead letters/,
      "a dead letter that cannot be written": /waited .* dead letter/,
    },
  },
  {
    name: "loses what is replayed",
    tamper: () =>
      publishing(
        (next) => async (to, batch, options) => (to.kind === "group" ? batch.map(() => STORED) : next(to, batch, options)),
      ),
    caughtBy: {
      "a dead letter says what failed": /waited .* replayed/,
      "a replay beside newer messages": /waited .* message/,
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
];
