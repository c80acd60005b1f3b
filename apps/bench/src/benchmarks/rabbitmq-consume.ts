import type { ChannelModel } from "amqplib";
import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, compare, type Figure } from "../figure.ts";
import { perSecond, Stopwatch } from "../measure.ts";
import { queueOf, rawRabbitmq } from "../raw/rabbitmq.ts";
import { Stage, type WorkTopic } from "../stage.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
const [OURS, THEIRS] = ["ours", "theirs"];
/** Of the raw client, for each queue: enough that the broker never waits for an acknowledgement. */
const PREFETCH = 250;

/** A handler that does nothing, against the raw client acknowledging each message, from queues of the same kind. */
export const rabbitmqConsume: Benchmark = {
  name: "rabbitmq.consume",
  suite: "consume",
  broker: "rabbitmq",
  about: "a handler that does nothing, against amqplib that decodes the same and acknowledges each message",
  defaults: { messages: 20_000, pairs: 5 },
  run: async (context) => [await run(context)],
};

async function run({ url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  await using connections = new AsyncDisposableStack();
  const connection = connections.adopt(await rawRabbitmq(url), (one) => one.close());
  let topic: WorkTopic;
  return await compare(
    { name: "rabbitmq.consume", unit: "messages/s", target: atLeast(1.5), pairs },
    async (round) => {
      topic = await stage.topic(`consume-${round + 1}`, PARTITIONS, [OURS, THEIRS]);
      await stage.fill(topic, messages, KEYS);
      const watch = new Stopwatch(messages);
      const options = { group: OURS, order: "key" } as const;
      await using _subscription = await stage.bus.subscribe(topic, options, () => watch.tick());
      return perSecond(messages, await watch.elapsed);
    },
    async () => perSecond(messages, await consume(connection, stage.nameOf(topic), messages)),
  );
}

async function consume(connection: ChannelModel, topic: string, messages: number): Promise<number> {
  const watch = new Stopwatch(messages);
  const channel = await connection.createChannel();
  await channel.prefetch(PREFETCH);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await channel.consume(queueOf(topic, THEIRS, partition), (message) => {
      if (message === null) return;
      JSON.parse(message.content.toString());
      watch.tick();
      channel.ack(message);
    });
  }
  const ms = await watch.elapsed;
  await channel.close();
  return ms;
}
