import { describeTransport } from "@waybill/conformance";
import { Kafka, logLevel } from "kafkajs";
import { inject } from "vitest";
import { startKafka } from "../../../tools/src/index.ts";
import { kafka } from "../src/index.ts";

const { url = "kafka://127.0.0.1:9092", skip } = inject("kafka");

describeTransport("kafka", {
  skip,
  // The shortest session that Kafka allows: a member that vanished is missed sooner.
  transport: () => kafka({ url, sessionTimeout: "6s" }),
  badCredentials: () => kafka({ url, sasl: { mechanism: "plain", username: "nobody", password: "wrong" } }),
  async foreign(topic, { body, headers }) {
    const producer = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).producer({
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    try {
      const own = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : Buffer.from(value)]),
      );
      await producer.send({ topic, messages: [{ partition: 0, value: Buffer.from(body), headers: own }] });
    } finally {
      await producer.disconnect();
    }
  },
  async broker() {
    const cluster = await startKafka();
    const [node] = cluster.nodes;
    return {
      transport: () => kafka({ url: cluster.url, sessionTimeout: "6s" }),
      start: async () => node?.start(),
      stop: async () => node?.kill(),
      remove: () => cluster.stop(),
    };
  },
  patience: 40_000,
});
