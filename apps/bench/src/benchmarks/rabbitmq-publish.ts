import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, compare, type Figure } from "../figure.ts";
import { inFlight, perSecond, time } from "../measure.ts";
import { confirmed, rawRabbitmq } from "../raw/rabbitmq.ts";
import { Stage } from "../stage.ts";
import { workOf } from "../work.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
/** Of our calls: half of what a bus takes before its callers wait. */
const CALLS = 5_000;
/** Of the raw client's unconfirmed messages. */
const WINDOW = 1_000;

/** Calls of one message each, against the raw client's confirms, into the same queues. */
export const rabbitmqPublish: Benchmark = {
  name: "rabbitmq.publish",
  suite: "publish",
  broker: "rabbitmq",
  about: "calls of one message, many in flight, against amqplib confirms with a window of 1,000",
  defaults: { messages: 10_000, pairs: 7 },
  run: async (context) => [await run(context)],
};

async function run({ url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  const topic = await stage.topic("publish", PARTITIONS, ["bench"]);
  const connection = await rawRabbitmq(url);
  const channel = await connection.createConfirmChannel();
  try {
    return await compare(
      { name: "rabbitmq.publish", unit: "messages/s", target: atLeast(0.95), pairs },
      async () => {
        const ms = await time(() => inFlight(CALLS, messages, (index) => stage.bus.publish(topic, workOf(index, KEYS))));
        return perSecond(messages, ms);
      },
      async () => {
        const send = (index: number): Promise<void> => {
          const body = Buffer.from(JSON.stringify(workOf(index, KEYS)));
          const properties = { persistent: true, mandatory: true, contentType: "application/json" };
          return confirmed(channel, stage.nameOf(topic), String(index % PARTITIONS), body, properties);
        };
        return perSecond(messages, await time(() => inFlight(WINDOW, messages, send)));
      },
    );
  } finally {
    await connection.close();
  }
}
