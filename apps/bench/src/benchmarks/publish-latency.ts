import type { Benchmark, Context } from "../benchmark.ts";
import { atMost, compare, type Figure, median } from "../figure.ts";
import { time } from "../measure.ts";
import { RawClients } from "../raw/process.ts";
import { Stage } from "../stage.ts";
import { workOf } from "../work.ts";

const KEYS = 1_000;
const GROUP = "bench";

const RAW = { kafka: "sendOne", rabbitmq: "publishOne" } as const;

/** A single publish that is awaited: batching must not cost the one who does not need it. */
function publishLatency(broker: "kafka" | "rabbitmq", what: string): Benchmark {
  return {
    name: `publish.latency.${broker}`,
    suite: "publish",
    broker,
    about: `a single publish that is awaited, against ${what}`,
    defaults: { messages: 500, pairs: 7 },
    run: async (context) => [await run(broker, context)],
  };
}

async function run(broker: "kafka" | "rabbitmq", { url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  await using raw = new RawClients();
  const topic = await stage.topic("latency", 1, [GROUP]);
  const task = { url, topic: stage.nameOf(topic), partitions: 1, group: GROUP, count: messages, keys: KEYS };
  return await compare(
    { name: `publish.latency.${broker}`, unit: "µs", target: atMost(1.1), pairs },
    async () => {
      const times: number[] = [];
      for (let index = 0; index < messages; index++) {
        times.push(await time(() => stage.bus.publish(topic, workOf(index, KEYS))));
      }
      return median(times) * 1_000;
    },
    () => raw.measure(RAW[broker], task),
  );
}

export const kafkaPublishLatency = publishLatency("kafka", "a kafkajs send");
export const rabbitmqPublishLatency = publishLatency("rabbitmq", "a confirmed publish of amqplib");
