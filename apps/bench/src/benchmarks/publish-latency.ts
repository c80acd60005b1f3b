import type { Benchmark, Context } from "../benchmark.ts";
import { atMost, compare, type Figure, median } from "../figure.ts";
import { time } from "../measure.ts";
import { rawKafka } from "../raw/kafka.ts";
import { confirmed, rawRabbitmq } from "../raw/rabbitmq.ts";
import { Stage } from "../stage.ts";
import { workOf } from "../work.ts";

const KEYS = 1_000;

/** A raw client, ready to publish to one partition of a topic of ours. */
interface RawPublisher {
  publish(key: string, body: string): Promise<unknown>;
  close(): Promise<void>;
}

type Open = (url: string, topic: string) => Promise<RawPublisher>;

function publishLatency(broker: "kafka" | "rabbitmq", what: string, open: Open): Benchmark {
  const name = `publish.latency.${broker}`;
  return {
    name,
    suite: "publish",
    broker,
    about: `a single publish that is awaited, against ${what}`,
    defaults: { messages: 300, pairs: 7 },
    run: async (context) => [await run(name, open, context)],
  };
}

async function run(name: string, open: Open, { url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  const topic = await stage.topic("latency", 1, ["bench"]);
  const raw = await open(url, stage.nameOf(topic));
  try {
    return await compare(
      { name, unit: "µs", target: atMost(1.1), pairs },
      () => each(messages, (index) => stage.bus.publish(topic, workOf(index, KEYS))),
      () => {
        return each(messages, (index) => {
          const work = workOf(index, KEYS);
          return raw.publish(work.key, JSON.stringify(work));
        });
      },
    );
  } finally {
    await raw.close();
  }
}

/** The median of many calls, one after the other, in microseconds. */
async function each(count: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await time(() => call(index)));
  return median(times) * 1_000;
}

export const kafkaPublishLatency = publishLatency("kafka", "a kafkajs send", async (url, topic) => {
  const producer = rawKafka(url).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    publish: (key, value) => producer.send({ topic, messages: [{ key, value }], acks: -1 }),
    close: () => producer.disconnect(),
  };
});

export const rabbitmqPublishLatency = publishLatency("rabbitmq", "a confirmed publish of amqplib", async (url, topic) => {
  const connection = await rawRabbitmq(url);
  const channel = await connection.createConfirmChannel();
  const properties = { persistent: true, mandatory: true, contentType: "application/json" };
  return {
    publish: (_key, body) => confirmed(channel, topic, "0", Buffer.from(body), properties),
    close: () => connection.close(),
  };
});
