import { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { median } from "../figure.ts";
import { handle, Journal } from "../journal.ts";
import { inFlight, perSecond, Stopwatch, time } from "../measure.ts";
import { workOf } from "../work.ts";

/** A topic on a broker, and how much to do with it. Both sides use the same exchange, and queues of the same kind. */
export interface RabbitmqTask {
  readonly url: string;
  /** On the broker. */
  readonly topic: string;
  readonly partitions: number;
  /** Whose queues are consumed. */
  readonly group: string;
  /** Of messages. */
  readonly count: number;
  /** Different keys of messages that are published. */
  readonly keys: number;
}

/** Of unconfirmed messages. */
const WINDOW = 1_000;
/** For each queue: enough that the broker never waits for an acknowledgement. */
const PREFETCH = 250;

/** Confirmed publishes, a window of them unconfirmed. Messages per second. */
export function publishMany(task: RabbitmqTask): Promise<number> {
  return withConnection(task, async (connection) => {
    const channel = await connection.createConfirmChannel();
    return perSecond(task.count, await time(() => inFlight(WINDOW, task.count, (index) => confirmed(channel, task, index))));
  });
}

/** Confirmed publishes, each awaited. The median in microseconds. */
export function publishOne(task: RabbitmqTask): Promise<number> {
  return withConnection(task, async (connection) => {
    const channel = await connection.createConfirmChannel();
    const times: number[] = [];
    for (let index = 0; index < task.count; index++) times.push(await time(() => confirmed(channel, task, index)));
    return median(times) * 1_000;
  });
}

/** Acknowledges each message when it is decoded. Messages per second. */
export function acknowledgeEach(task: RabbitmqTask): Promise<number> {
  return withConnection(task, async (connection) => {
    const watch = new Stopwatch(task.count);
    await consume(connection, task, PREFETCH, (message, channel) => {
      decode(message);
      watch.tick();
      channel.ack(message);
    });
    return perSecond(task.count, await watch.elapsed);
  });
}

/** One message after the other, each with its work. Messages per second. */
export function oneAtATime(task: RabbitmqTask): Promise<number> {
  return withConnection(task, async (connection) => {
    const journal = new Journal(task.count);
    let over = false;
    await consume(connection, task, 1, async (message, channel) => {
      const work = JSON.parse(message.content.toString());
      if (work.index < task.count) await handle(journal, work);
      if (!over) channel.ack(message);
    });
    const ms = await journal.elapsed;
    over = true;
    return perSecond(task.count, ms);
  });
}

async function withConnection<T>({ url }: RabbitmqTask, use: (connection: ChannelModel) => Promise<T>): Promise<T> {
  // Without `noDelay` amqplib would be forty times slower where it waits for each answer.
  const connection = await connect(url, { noDelay: true });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** Resolves when the broker has confirmed; rejects when it refuses. The message is what Waybill writes. */
function confirmed(channel: ConfirmChannel, { topic, partitions, keys }: RabbitmqTask, index: number): Promise<void> {
  const id = `0197e1a0-0000-7000-8000-${index.toString().padStart(12, "0")}`;
  const work = workOf(index, keys);
  const properties = {
    persistent: true,
    mandatory: true,
    contentType: "application/json",
    messageId: id,
    type: "publish",
    appId: "bench",
    timestamp: Math.floor(Date.now() / 1_000),
    headers: {
      "cloudEvents:id": id,
      "cloudEvents:source": "bench",
      "cloudEvents:type": "publish",
      "cloudEvents:time": new Date().toISOString(),
      "cloudEvents:specversion": "1.0",
      "cloudEvents:partitionkey": work.key,
    },
  };
  return new Promise((resolve, reject) => {
    const body = Buffer.from(JSON.stringify(work));
    channel.publish(topic, String(index % partitions), body, properties, (error: Error | null) =>
      error ? reject(error) : resolve(),
    );
  });
}

async function consume(
  connection: ChannelModel,
  { topic, group, partitions }: RabbitmqTask,
  prefetch: number,
  take: (message: ConsumeMessage, channel: Channel) => unknown,
): Promise<void> {
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  for (let partition = 0; partition < partitions; partition++) {
    await channel.consume(`${topic}.${group}.${partition}`, (message) => message && take(message, channel));
  }
}

/** What Waybill hands to a handler: the payload; amqplib has the headers decoded. */
function decode(message: ConsumeMessage): unknown {
  return JSON.parse(message.content.toString());
}
