import type { Benchmark, Context } from "../benchmark.ts";
import { atLeast, compare, type Figure } from "../figure.ts";
import { perSecond, Stopwatch } from "../measure.ts";
import { decode, rawConsume } from "../raw/kafka.ts";
import { Stage } from "../stage.ts";

const PARTITIONS = 4;
const KEYS = 1_000;

/** A handler that does nothing, against the raw client's batches with the same decoding and commits. */
export const kafkaConsume: Benchmark = {
  name: "kafka.consume",
  suite: "consume",
  broker: "kafka",
  about: "a handler that does nothing, against kafkajs eachBatch that decodes and commits the same",
  defaults: { messages: 100_000, pairs: 5 },
  run: async (context) => [await run(context)],
};

async function run({ url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  const topic = await stage.topic("consume", PARTITIONS);
  await stage.fill(topic, messages, KEYS);
  return await compare(
    { name: "kafka.consume", unit: "messages/s", target: atLeast(0.9), pairs },
    async (round) => {
      const watch = new Stopwatch(messages);
      const options = { group: `ours-${round + 1}`, order: "key" } as const;
      await using _subscription = await stage.bus.subscribe(topic, options, () => watch.tick());
      return perSecond(messages, await watch.elapsed);
    },
    async (round) => {
      const watch = new Stopwatch(messages);
      const ms = await rawConsume(
        url,
        stage.nameOf(topic),
        `${stage.prefix}theirs-${round + 1}`,
        {
          // As often as ours.
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
        },
        watch.elapsed,
      );
      return perSecond(messages, ms);
    },
  );
}
