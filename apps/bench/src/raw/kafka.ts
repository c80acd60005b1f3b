import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type ConsumerRunConfig, type Kafka, type KafkaMessage } from "kafkajs";

/** kafkajs, by the URL that Waybill takes. */
export function rawKafka(url: string): Kafka {
  const hosts = /^kafka:\/\/([^/?]+)/.exec(url)?.[1];
  if (hosts === undefined) throw new Error("the raw client is compared on a plain kafka: URL");
  return new kafkajs.Kafka({ clientId: "bench-raw", brokers: hosts.split(","), logLevel: kafkajs.logLevel.ERROR });
}

/** Reads a topic from its beginning in a group of its own until `until` resolves. */
export async function rawConsume<T>(
  url: string,
  topic: string,
  group: string,
  config: ConsumerRunConfig,
  until: Promise<T>,
): Promise<T> {
  const client = rawKafka(url);
  // The same session, and the same patience of a fetch, as ours has.
  const consumer = client.consumer({ groupId: group, sessionTimeout: 10_000, maxWaitTimeInMs: 200 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run(config);
    return await until;
  } finally {
    await consumer.disconnect();
    await removeGroup(client, group);
  }
}

async function removeGroup(client: Kafka, group: string): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  // A member that has left is forgotten a moment later.
  await admin.deleteGroups([group]).catch(() => sleep(500).then(() => admin.deleteGroups([group]).catch(() => undefined)));
  await admin.disconnect();
}

/** What Waybill hands to a handler of a record, made by hand: the payload, and every header as text. */
export function decode({ value, headers }: KafkaMessage): {
  readonly payload: unknown;
  readonly headers: Record<string, string>;
} {
  const texts: Record<string, string> = {};
  for (const name in headers) texts[name] = String(headers[name]);
  return { payload: JSON.parse(String(value)), headers: texts };
}
