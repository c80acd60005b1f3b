import type { Benchmark } from "../benchmark.ts";
import { kafkaBacklog, rabbitmqBacklog } from "./backlog.ts";
import { kafkaConsume, rabbitmqConsume } from "./consume.ts";
import { dispatchCost } from "./dispatch-cost.ts";
import { kafkaKeyedWork, memoryKeyedWork, rabbitmqKeyedWork } from "./keyed-work.ts";
import { kafkaPublishBatched, kafkaPublishEach, rabbitmqPublish } from "./publish.ts";
import { kafkaPublishLatency, rabbitmqPublishLatency } from "./publish-latency.ts";

/** All there are, in the order in which they are listed and run. */
export const benchmarks: readonly Benchmark[] = [
  kafkaKeyedWork,
  rabbitmqKeyedWork,
  memoryKeyedWork,
  dispatchCost,
  kafkaPublishEach,
  kafkaPublishBatched,
  rabbitmqPublish,
  kafkaPublishLatency,
  rabbitmqPublishLatency,
  kafkaConsume,
  rabbitmqConsume,
  kafkaBacklog,
  rabbitmqBacklog,
];
