import type { Incoming, Source } from "@waybill/core/transport";
import { systemClock } from "@waybill/core/transport";
// The engine has no door of its own to the outside, and what stands around it is not to be measured.
import { Dispatcher } from "../../../../packages/core/src/consume/dispatcher.ts";
import type { Benchmark, Context } from "../benchmark.ts";
import { compare, type Figure, type Target } from "../figure.ts";

const KEYS = [1, 1_000, 1_000_000];
/** Handed over at once, as a fetch would. */
const BATCH = 500;
/** Measured at once: the processor's time is not known by the microsecond. */
const BATCHES = 10;
const ATTRIBUTES = { id: "0197e1a0-0000-7000-8000-000000000000", source: "bench", type: "work" };
const BODY = Buffer.alloc(100);

const target: Target = { text: "ours < 2 µs, ratio <= 1.3", met: ({ ours, ratio }) => ours < 2 && ratio <= 1.3 };

/** What the engine itself takes for a message, with a handler that does nothing: at so many keys, against the same at one key. */
export const dispatchCost: Benchmark = {
  name: "dispatch.cost",
  suite: "dispatch",
  broker: "none",
  about: "the engine's own time a message at 1, 1,000 and 1,000,000 keys, against the same at 1 key",
  defaults: { messages: 1_000_000, pairs: 5 },
  async run(context) {
    const figures: Figure[] = [];
    for (const keys of KEYS) figures.push(await costAt(keys, context));
    return figures;
  },
};

function costAt(keys: number, { messages, pairs }: Context): Promise<Figure> {
  const note = keys === 1 ? "both sides are the same: what differs is noise" : undefined;
  return compare(
    { name: `dispatch.cost.${keys}`, unit: "µs/message", target, pairs, note },
    () => cost(keys, messages),
    () => cost(1, messages),
  );
}

/** Microseconds of this thread's processor time a message: what else the machine does is not counted, nor is making the messages. */
async function cost(keys: number, messages: number): Promise<number> {
  let left = 0;
  let handled = Promise.withResolvers<void>();
  const dispatcher = new Dispatcher({
    clock: systemClock,
    concurrency: 100,
    keyed: true,
    window: { messages: 2_000, bytes: 64 * 1_048_576 },
    settleEvery: { messages: 1_000, ms: 200 },
    singleSettlement: false,
    attempt: async (): Promise<"done"> => {
      if (--left === 0) handled.resolve();
      return "done";
    },
    onFailed() {},
  });
  const source: Source = { id: "bench/0", epoch: "1", partition: 0, pause() {}, resume() {}, settle: async () => "ok" };
  dispatcher.gained(source);
  let spent = 0;
  const blocks = Math.ceil(messages / (BATCH * BATCHES));
  for (let block = 0; block < blocks; block++) {
    const batches = Array.from({ length: BATCHES }, (_, i) => batchOf((block * BATCHES + i) * BATCH, keys));
    const start = process.threadCpuUsage();
    for (const batch of batches) {
      left = BATCH;
      handled = Promise.withResolvers();
      dispatcher.batch(source, batch);
      await handled.promise;
    }
    const { user, system } = process.threadCpuUsage(start);
    spent += user + system;
  }
  await dispatcher.drain(Number.POSITIVE_INFINITY);
  dispatcher.stop(undefined);
  if (dispatcher.inFlight > 0) throw new Error(`${dispatcher.inFlight} messages were never settled`);
  return spent / (blocks * BATCHES * BATCH);
}

function batchOf(from: number, keys: number): Incoming[] {
  return Array.from({ length: BATCH }, (_, i) => incoming(from + i, keys));
}

function incoming(index: number, keys: number): Incoming {
  return {
    attributes: ATTRIBUTES,
    contentType: undefined,
    key: Buffer.from(`key-${index % keys}`),
    body: BODY,
    timestamp: 0,
    headers: [],
    token: index,
    position: String(index),
    redelivered: false,
    native: undefined,
  };
}
