import type { StandardSchemaV1 } from "@standard-schema/spec";
import { silentLogger } from "../../src/logger.ts";
import type { BusEvents, Plugin } from "../../src/plugin.ts";
import { type PipelineOptions, PublishPipeline } from "../../src/publish/pipeline.ts";
import type { LiveTopic } from "../../src/publish/route.ts";
import { Sender } from "../../src/publish/sender.ts";
import { keyOf, type Topic } from "../../src/topic.ts";
import type { Destination, Envelope } from "../../src/transport.ts";
import { ManualClock } from "../manual-clock.ts";
import { ModelBroker } from "./model-broker.ts";

/** A pipeline in front of a model of a broker; `wire` is all that was handed over, in order. */
export function publishing(
  options: { plugins?: readonly Plugin[]; partitions?: number } & Omit<Partial<PipelineOptions>, "plugins"> = {},
) {
  const { partitions = 4, plugins = [], ...rest } = options;
  const clock = new ManualClock();
  const broker = new ModelBroker(clock);
  const wire: { to: Destination; envelope: Envelope }[] = [];
  broker.onBatch = (to, batch) => wire.push(...batch.map((envelope) => ({ to, envelope })));
  const sender = new Sender(broker, { clock, logger: silentLogger });
  const published: BusEvents["published"][] = [];
  const pipeline = new PublishPipeline({
    app: "shop",
    clock,
    sender,
    capabilities: { maxMessageBytes: undefined },
    plugins: () => plugins,
    provisioned: remembered((topic) => live(topic, partitions)),
    context: () => undefined,
    emit: (name, event) => void (name === "published" && published.push(event as BusEvents["published"])),
    ...rest,
  });
  /** Lets the broker answer until `promise` is settled. */
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const watched = promise.finally(() => (done = true));
    watched.catch(() => {});
    for (let turn = 0; turn < 10_000 && !done; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (!done) clock.advance(10);
    }
    return watched;
  };
  return { clock, broker, wire, sender, pipeline, published, run };
}

export function live(topic: Topic, partitions = 4): LiveTopic {
  const spec = {
    name: topic.name,
    keyed: keyOf(topic) !== undefined,
    partitions,
    retention: undefined,
    groups: [],
    unrouted: "reject" as const,
  };
  return { spec, partitions };
}

function remembered(make: (topic: Topic) => LiveTopic): (topic: Topic) => LiveTopic {
  const made = new Map<string, LiveTopic>();
  return (topic) => {
    const known = made.get(topic.name) ?? make(topic);
    made.set(topic.name, known);
    return known;
  };
}

/** A schema from a function; what it throws is an issue. */
export function schema<T>(check: (value: T) => unknown): StandardSchemaV1<T, T> {
  const issue = (error: unknown): StandardSchemaV1.FailureResult => ({ issues: [{ message: String((error as Error).message) }] });
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        try {
          const checked = check(value as T);
          if (checked instanceof Promise) return checked.then((one) => ({ value: one as T }), issue);
          return { value: checked as T };
        } catch (error) {
          return issue(error);
        }
      },
    },
  };
}
