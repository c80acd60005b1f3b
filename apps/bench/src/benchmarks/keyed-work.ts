import { setTimeout as sleep } from "node:timers/promises";
import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, compare, type Figure } from "../figure.ts";
import { Journal } from "../journal.ts";
import { perSecond } from "../measure.ts";
import { rawConsume } from "../raw/kafka.ts";
import { queueOf, rawRabbitmq } from "../raw/rabbitmq.ts";
import { Stage, type WorkTopic } from "../stage.ts";
import { durationOf, type Work, workOf } from "../work.ts";

const KEYS = 1_000;
const CONCURRENCY = 100;
/** One at a time takes a hundred times as long: that side handles a part of the messages, and its pace is what counts. */
const PART = 10;
const [OURS, THEIRS] = ["ours", "theirs"];

/** The raw side: handles the first messages of what is on the topic one at a time, until the journal has them all. */
type OneAtATime = (options: {
  readonly url: string;
  /** On the broker. */
  readonly topic: string;
  readonly part: number;
  readonly journal: Journal;
  handle(work: Work): Promise<void>;
}) => Promise<number>;

/** Messages of 0 to 5 ms with 1,000 keys in one partition: with 100 handlers at once in order per key, against one after the other. */
function keyedWork(broker: "kafka" | "rabbitmq" | "memory", what: string, oneAtATime: OneAtATime): Benchmark {
  const name = `${broker}.keyed-work`;
  return {
    name,
    suite: "dispatch",
    broker,
    about: `0 to 5 ms of work a message, 1,000 keys in one partition, concurrency 100, against ${what}`,
    defaults: { messages: 10_000, pairs: 3 },
    run: async (context) => [await run(name, what, oneAtATime, context)],
  };
}

async function run(name: string, what: string, oneAtATime: OneAtATime, { url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  const part = Math.ceil(messages / PART);
  const note = `theirs: ${what}, over ${part} of the ${messages} messages`;
  let topic: WorkTopic;
  return await compare(
    { name, unit: "messages/s", target: atLeast(60), pairs, warmUps: 0, note },
    async (round) => {
      topic = await stage.topic(`work-${round}`, 1, [OURS, THEIRS]);
      await stage.fill(topic, messages, KEYS);
      const journal = new Journal(messages);
      const options = { group: OURS, order: "key", concurrency: CONCURRENCY } as const;
      await using _subscription = await stage.bus.subscribe(topic, options, ({ payload }) => handle(journal, payload));
      return perSecond(messages, await journal.elapsed);
    },
    async () => {
      const journal = new Journal(part);
      const handleSome = async (work: Work) => {
        if (work.index < part) await handle(journal, work);
      };
      return perSecond(part, await oneAtATime({ url, topic: stage.nameOf(topic), part, journal, handle: handleSome }));
    },
  );
}

async function handle(journal: Journal, work: Work): Promise<void> {
  journal.begin(work);
  await sleep(durationOf(work.index));
  journal.end(work);
}

export const kafkaKeyedWork = keyedWork("kafka", "kafkajs eachMessage", ({ url, topic, journal, handle }) => {
  const eachMessage = ({ message }: { message: { value: Buffer | null } }) => handle(JSON.parse(String(message.value)));
  return rawConsume(url, topic, `${topic}.${THEIRS}-raw`, { eachMessage }, journal.elapsed);
});

export const rabbitmqKeyedWork = keyedWork(
  "rabbitmq",
  "amqplib with prefetch 1, acking each",
  async ({ url, topic, journal, handle }) => {
    const connection = await rawRabbitmq(url);
    let over = false;
    try {
      const channel = await connection.createChannel();
      await channel.prefetch(1);
      await channel.consume(queueOf(topic, THEIRS, 0), async (message) => {
        if (message === null) return;
        await handle(JSON.parse(String(message.content)));
        if (!over) channel.ack(message);
      });
      return await journal.elapsed;
    } finally {
      over = true;
      await connection.close();
    }
  },
);

export const memoryKeyedWork = keyedWork("memory", "a loop that awaits each", async ({ part, journal, handle }) => {
  for (let index = 0; index < part; index++) await handle(workOf(index, KEYS));
  return journal.elapsed;
});
