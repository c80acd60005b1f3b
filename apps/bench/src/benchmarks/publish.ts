import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, type Comparison, compare, type Figure } from "../figure.ts";
import { inFlight, perSecond, time } from "../measure.ts";
import { RawClients } from "../raw/process.ts";
import { Stage } from "../stage.ts";
import { workOf } from "../work.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
const GROUP = "bench";
/** Of our calls: half of what a bus takes before its callers wait. */
const CALLS = 5_000;
/** Single sends are so slow that a part of the messages shows their pace. */
const PART = 10;

/** Calls of one message each, against single sends of the raw client. */
export const kafkaPublishEach: Benchmark = {
  name: "kafka.publish.each",
  suite: "publish",
  broker: "kafka",
  about: "calls of one message, many in flight, against kafkajs sends of one message, 200 in flight",
  defaults: { messages: 50_000, pairs: 5 },
  run: async (context) => {
    const count = Math.ceil(context.messages / PART);
    const note = `theirs: over ${count} of the ${context.messages} messages`;
    return [await publish("sendEach", count, { name: "kafka.publish.each", target: atLeast(12), note }, context)];
  },
};

/** The same calls, against the raw client with batches made by hand. */
export const kafkaPublishBatched: Benchmark = {
  name: "kafka.publish.batched",
  suite: "publish",
  broker: "kafka",
  about: "calls of one message, many in flight, against kafkajs with 500 messages a send and four sends in flight",
  defaults: { messages: 50_000, pairs: 7 },
  run: async (context) => [
    await publish("sendBatches", context.messages, { name: "kafka.publish.batched", target: atLeast(0.95) }, context),
  ],
};

/** The same calls on the other broker, against confirms by hand. */
export const rabbitmqPublish: Benchmark = {
  name: "rabbitmq.publish",
  suite: "publish",
  broker: "rabbitmq",
  about: "calls of one message, many in flight, against amqplib confirms with a window of 1,000",
  defaults: { messages: 20_000, pairs: 7 },
  run: async (context) => [
    await publish("publishMany", context.messages, { name: "rabbitmq.publish", target: atLeast(0.95) }, context),
  ],
};

async function publish(
  operation: "sendEach" | "sendBatches" | "publishMany",
  theirCount: number,
  figure: Pick<Comparison, "name" | "target" | "note">,
  { url, messages, pairs }: Context,
): Promise<Figure> {
  await using stage = new Stage(url);
  await using raw = new RawClients();
  const topic = await stage.topic("publish", PARTITIONS, [GROUP]);
  const task = { url, topic: stage.nameOf(topic), partitions: PARTITIONS, group: GROUP, count: theirCount, keys: KEYS };
  return await compare(
    { ...figure, unit: "messages/s", pairs },
    async () => {
      const ms = await time(() => inFlight(CALLS, messages, (index) => stage.bus.publish(topic, workOf(index, KEYS))));
      return perSecond(messages, ms);
    },
    () => raw.measure(operation, task),
  );
}
