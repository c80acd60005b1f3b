import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type ConsumerRunConfig, type Kafka, type KafkaMessage, type Message, type Producer } from "kafkajs";
import { median } from "../figure.ts";
import { handle, Journal } from "../journal.ts";
import { inFlight, perSecond, Stopwatch, time } from "../measure.ts";
import { workOf } from "../work.ts";

/** A topic on a broker, and how much to do with it. */
export interface KafkaTask {
  readonly url: string;
  /** On the broker. */
  readonly topic: string;
  /** Of messages. */
  readonly count: number;
  /** Different keys of messages that are published. */
  readonly keys: number;
}

/** Sends of one message, as many in flight as serve the client best. Messages per second. */
export function sendEach(task: KafkaTask): Promise<number> {
  return publish(task, (producer, { topic, count, keys }) =>
    inFlight(200, count, (index) => producer.send({ topic, messages: [recordOf(index, keys)] })),
  );
}

/** Sends of 500 messages, four in flight: batches made by hand. Messages per second. */
export function sendBatches(task: KafkaTask): Promise<number> {
  const size = 500;
  return publish(task, (producer, { topic, count, keys }) =>
    inFlight(4, Math.ceil(count / size), (batch) => {
      const from = batch * size;
      const messages = Array.from({ length: Math.min(size, count - from) }, (_, i) => recordOf(from + i, keys));
      return producer.send({ topic, messages });
    }),
  );
}

/** Sends of one message, each awaited. The median in microseconds. */
export async function sendOne({ url, topic, count, keys }: KafkaTask): Promise<number> {
  return withProducer(url, async (producer) => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      times.push(await time(() => producer.send({ topic, messages: [recordOf(index, keys)] })));
    }
    return median(times) * 1_000;
  });
}

/** A loop over batches that decodes as Waybill does, and commits as often. Messages per second. */
export async function eachBatch(task: KafkaTask): Promise<number> {
  const watch = new Stopwatch(task.count);
  const config: ConsumerRunConfig = {
    autoCommitInterval: 200,
    autoCommitThreshold: 5_000,
    eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
      for (const message of batch.messages) {
        decode(message);
        watch.tick();
        resolveOffset(message.offset);
      }
      await commitOffsetsIfNecessary();
    },
  };
  return perSecond(task.count, await consume(task, config, watch.elapsed));
}

/** One message after the other, each with its work. Messages per second. */
export async function eachMessage(task: KafkaTask): Promise<number> {
  const journal = new Journal(task.count);
  const config: ConsumerRunConfig = {
    eachMessage: async ({ message }) => {
      const work = JSON.parse(String(message.value));
      if (work.index < task.count) await handle(journal, work);
    },
  };
  return perSecond(task.count, await consume(task, config, journal.elapsed));
}

async function publish(task: KafkaTask, send: (producer: Producer, task: KafkaTask) => Promise<void>): Promise<number> {
  return withProducer(task.url, async (producer) => {
    // Learns where the partitions are, as ours has by then.
    await producer.send({ topic: task.topic, messages: [recordOf(0, task.keys)] });
    return perSecond(task.count, await time(() => send(producer, task)));
  });
}

async function withProducer<T>(url: string, use: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = client(url).producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    return await use(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Reads a topic from its beginning in a new group until `until` resolves. */
async function consume<T>({ url, topic }: KafkaTask, config: ConsumerRunConfig, until: Promise<T>): Promise<T> {
  const kafka = client(url);
  const groupId = `${topic}.raw-${Date.now().toString(36)}`;
  // The same session, and the same patience of a fetch, as ours has.
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, maxWaitTimeInMs: 200 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run(config);
    return await until;
  } finally {
    await consumer.disconnect();
    await removeGroup(kafka, groupId);
  }
}

async function removeGroup(kafka: Kafka, group: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  // A member that has left is forgotten a moment later.
  await admin.deleteGroups([group]).catch(() => sleep(500).then(() => admin.deleteGroups([group]).catch(() => undefined)));
  await admin.disconnect();
}

function client(url: string): Kafka {
  const hosts = /^kafka:\/\/([^/?]+)/.exec(url)?.[1];
  if (hosts === undefined) throw new Error("the raw client is compared on a plain kafka: URL");
  return new kafkajs.Kafka({ clientId: "bench-raw", brokers: hosts.split(","), logLevel: kafkajs.logLevel.ERROR });
}

/** What Waybill writes: the same key and JSON, and the attributes beside it. */
function recordOf(index: number, keys: number): Message {
  const work = workOf(index, keys);
  return {
    key: work.key,
    value: JSON.stringify(work),
    headers: {
      ce_id: `0197e1a0-0000-7000-8000-${index.toString().padStart(12, "0")}`,
      ce_source: "bench",
      ce_type: "publish",
      ce_time: new Date().toISOString(),
      ce_specversion: "1.0",
      "content-type": "application/json",
    },
  };
}

/** What Waybill hands to a handler: the payload, and every header as text. */
function decode({ value, headers }: KafkaMessage): { readonly payload: unknown; readonly headers: Record<string, string> } {
  const texts: Record<string, string> = {};
  for (const name in headers) texts[name] = String(headers[name]);
  return { payload: JSON.parse(String(value)), headers: texts };
}
