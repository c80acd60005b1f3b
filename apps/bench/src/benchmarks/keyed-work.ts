import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, compare, type Figure } from "../figure.ts";
import { handle, Journal } from "../journal.ts";
import { perSecond } from "../measure.ts";
import { RawClients } from "../raw/process.ts";
import { Stage, type WorkTopic } from "../stage.ts";

const KEYS = 1_000;
const CONCURRENCY = 100;
/** One at a time takes a hundred times as long: that side handles a part of the messages, and its pace is what counts. */
const PART = 10;
const [OURS, THEIRS] = ["ours", "theirs"];

const RAW = { kafka: "eachMessage", rabbitmq: "oneAtATime", memory: "loop" } as const;

/** Messages of 0 to 5 ms with 1,000 keys in one partition: with 100 handlers at once in order per key, against one after the other. */
function keyedWork(broker: "kafka" | "rabbitmq" | "memory", what: string): Benchmark {
  return {
    name: `${broker}.keyed-work`,
    suite: "dispatch",
    broker,
    about: `0 to 5 ms of work a message, 1,000 keys in one partition, concurrency 100, against ${what}`,
    defaults: { messages: 10_000, pairs: 3 },
    run: async (context) => [await run(broker, what, context)],
  };
}

async function run(broker: "kafka" | "rabbitmq" | "memory", what: string, { url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  await using raw = new RawClients();
  const part = Math.ceil(messages / PART);
  const note = `theirs: ${what}, over ${part} of the ${messages} messages`;
  let topic: WorkTopic;
  return await compare(
    { name: `${broker}.keyed-work`, unit: "messages/s", target: atLeast(60), pairs, warmUps: 0, note },
    async (round) => {
      topic = await stage.topic(`work-${round}`, 1, [OURS, THEIRS]);
      await stage.fill(topic, messages, KEYS);
      const journal = new Journal(messages);
      const options = { group: OURS, order: "key", concurrency: CONCURRENCY } as const;
      await using _subscription = await stage.bus.subscribe(topic, options, ({ payload }) => handle(journal, payload));
      return perSecond(messages, await journal.elapsed);
    },
    () => raw.measure(RAW[broker], { url, topic: stage.nameOf(topic), partitions: 1, group: THEIRS, count: part, keys: KEYS }),
  );
}

export const kafkaKeyedWork = keyedWork("kafka", "kafkajs eachMessage");
export const rabbitmqKeyedWork = keyedWork("rabbitmq", "amqplib with prefetch 1, acking each");
export const memoryKeyedWork = keyedWork("memory", "a loop that awaits each");
