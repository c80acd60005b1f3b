import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, type Comparison, compare, type Figure } from "../figure.ts";
import { perSecond, Stopwatch } from "../measure.ts";
import { RawClients } from "../raw/process.ts";
import { Stage, type WorkTopic } from "../stage.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
const [OURS, THEIRS] = ["ours", "theirs"];

/** A handler that does nothing, against the raw client's batches. */
export const kafkaConsume: Benchmark = {
  name: "kafka.consume",
  suite: "consume",
  broker: "kafka",
  about: "a handler that does nothing, against kafkajs eachBatch that decodes and commits the same",
  defaults: { messages: 100_000, pairs: 5 },
  run: async (context) => [await consume("eachBatch", { name: "kafka.consume", target: atLeast(0.9) }, context)],
};

/** The same on the other broker, against the raw client acknowledging each message. */
export const rabbitmqConsume: Benchmark = {
  name: "rabbitmq.consume",
  suite: "consume",
  broker: "rabbitmq",
  about: "a handler that does nothing, against amqplib that decodes the same and acknowledges each message",
  defaults: { messages: 20_000, pairs: 5 },
  run: async (context) => [await consume("acknowledgeEach", { name: "rabbitmq.consume", target: atLeast(1.5) }, context)],
};

async function consume(
  operation: "eachBatch" | "acknowledgeEach",
  figure: Pick<Comparison, "name" | "target">,
  { url, messages, pairs }: Context,
): Promise<Figure> {
  await using stage = new Stage(url);
  await using raw = new RawClients();
  let topic: WorkTopic;
  return await compare(
    { ...figure, unit: "messages/s", pairs },
    async (round) => {
      topic = await stage.topic(`consume-${round + 1}`, PARTITIONS, [OURS, THEIRS]);
      await stage.fill(topic, messages, KEYS);
      const watch = new Stopwatch(messages);
      const options = { group: OURS, order: "key" } as const;
      await using _subscription = await stage.bus.subscribe(topic, options, () => watch.tick());
      return perSecond(messages, await watch.elapsed);
    },
    () => {
      const task = { url, topic: stage.nameOf(topic), partitions: PARTITIONS, group: THEIRS, count: messages, keys: KEYS };
      return raw.measure(operation, task);
    },
  );
}
