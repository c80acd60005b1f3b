import type { Benchmark } from "../benchmark.ts";
import { kafkaBacklog, rabbitmqBacklog } from "./backlog.ts";
import { dispatchCost } from "./dispatch-cost.ts";
import { kafkaConsume } from "./kafka-consume.ts";
import { kafkaPublishBatched, kafkaPublishEach } from "./kafka-publish.ts";
import { kafkaKeyedWork, memoryKeyedWork, rabbitmqKeyedWork } from "./keyed-work.ts";
import { kafkaPublishLatency, rabbitmqPublishLatency } from "./publish-latency.ts";
import { rabbitmqConsume } from "./rabbitmq-consume.ts";
import { rabbitmqPublish } from "./rabbitmq-publish.ts";

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
