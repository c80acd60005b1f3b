import type { Message, Producer } from "kafkajs";
import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, type Comparison, compare, type Figure } from "../figure.ts";
import { inFlight, perSecond, time } from "../measure.ts";
import { rawKafka } from "../raw/kafka.ts";
import { Stage } from "../stage.ts";
import { workOf } from "../work.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
/** Of our calls: half of what a bus takes before its callers wait. */
const CALLS = 5_000;
/** The raw client as one tunes it by hand: more in flight, or more in one send, is slower. */
const RAW = { calls: 200, batch: 500, batches: 4 };

/** Calls of one message each, against single sends of the raw client. */
export const kafkaPublishEach: Benchmark = {
  name: "kafka.publish.each",
  suite: "publish",
  broker: "kafka",
  about: "calls of one message, many in flight, against kafkajs sends of one message, 200 in flight",
  defaults: { messages: 50_000, pairs: 5 },
  run: async (context) => {
    // So slow that a part of the messages shows its pace.
    const count = Math.ceil(context.messages / 10);
    const note = `theirs: over ${count} of the ${context.messages} messages`;
    return [
      await publish({ name: "kafka.publish.each", target: atLeast(12), note }, context, count, (send) =>
        inFlight(RAW.calls, count, (index) => send([recordOf(index)])),
      ),
    ];
  },
};

/** The same calls, against the raw client with batches made by hand. */
export const kafkaPublishBatched: Benchmark = {
  name: "kafka.publish.batched",
  suite: "publish",
  broker: "kafka",
  about: "calls of one message, many in flight, against kafkajs with 500 messages a send and four sends in flight",
  defaults: { messages: 50_000, pairs: 7 },
  run: async (context) => {
    const { messages } = context;
    return [
      await publish({ name: "kafka.publish.batched", target: atLeast(0.95) }, context, messages, (send) =>
        inFlight(RAW.batches, Math.ceil(messages / RAW.batch), (batch) => {
          const from = batch * RAW.batch;
          return send(Array.from({ length: Math.min(RAW.batch, messages - from) }, (_, i) => recordOf(from + i)));
        }),
      ),
    ];
  },
};

type Send = (messages: Message[]) => Promise<unknown>;

async function publish(
  figure: Pick<Comparison, "name" | "target" | "note">,
  { url, messages, pairs }: Context,
  theirCount: number,
  raw: (send: Send) => Promise<void>,
): Promise<Figure> {
  await using stage = new Stage(url);
  const topic = await stage.topic("publish", PARTITIONS);
  const producer = rawKafka(url).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    return await compare(
      { ...figure, unit: "messages/s", pairs },
      async () => {
        const ms = await time(() => inFlight(CALLS, messages, (index) => stage.bus.publish(topic, workOf(index, KEYS))));
        return perSecond(messages, ms);
      },
      async () => perSecond(theirCount, await time(() => raw(sendTo(producer, stage.nameOf(topic))))),
    );
  } finally {
    await producer.disconnect();
  }
}

function sendTo(producer: Producer, topic: string): Send {
  return (messages) => producer.send({ topic, messages, acks: -1 });
}

/** A message with what Waybill writes beside its payload: both sides bring the same to the broker. */
function recordOf(index: number): Message {
  const work = workOf(index, KEYS);
  return { key: work.key, value: JSON.stringify(work) };
}
