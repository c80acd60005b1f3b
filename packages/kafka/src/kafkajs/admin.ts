import type { Admin } from "kafkajs";
import kafkajs from "kafkajs";
import { type EngineAdmin, EngineError, type NewTopic, type TopicInfo } from "../engine.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { brokerTypes, toEngineError } from "./errors.ts";
import { createSockets, type Sockets } from "./sockets.ts";

interface Client {
  readonly admin: Admin;
  readonly sockets: Sockets;
  readonly connected: Promise<void>;
  answered: boolean;
}

/** How often in a row a broker may close a connection at its first request before that is no accident. */
const REFUSAL = 3;

/** kafkajs's admin client, made anew after a lost connection. */
export class KafkajsAdmin implements EngineAdmin {
  readonly #options: ClientOptions;
  #client: Client | undefined;
  #closed = false;
  #closedAtOnce = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  ping(): Promise<void> {
    return this.#run(async (admin) => {
      await admin.describeCluster();
    });
  }

  topics(names?: readonly string[]): Promise<readonly TopicInfo[]> {
    return this.#run(async (admin) => {
      const wanted = names === undefined ? undefined : new Set(names);
      // Asked by name, kafkajs fails for all when one is missing.
      const { topics } = await admin.fetchTopicMetadata();
      return topics
        .filter(({ name }) => wanted?.has(name) ?? true)
        .map(({ name, partitions }) => ({
          name,
          partitions: partitions.length,
          available: partitions.every(({ leader }) => leader >= 0),
        }));
    });
  }

  createTopics(topics: readonly NewTopic[]): Promise<void> {
    return this.#run(async (admin) => {
      try {
        await admin.createTopics({
          waitForLeaders: true,
          timeout: 10_000,
          topics: topics.map(({ name, partitions, config }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor: this.#options.settings.replicationFactor,
            configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
          })),
        });
      } catch (error) {
        const types = brokerTypes(error);
        // Created, but the broker that was asked for the leaders has not heard of them yet.
        if (types.includes("UNKNOWN_TOPIC_OR_PARTITION")) throw new EngineError("busy", "a new topic is not known yet", error);
        // Others may be creating the same.
        if (types.length === 0 || types.some((type) => type !== "TOPIC_ALREADY_EXISTS")) throw error;
      }
    });
  }

  growTopic(name: string, partitions: number): Promise<void> {
    return this.#run(async (admin) => {
      await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] });
    });
  }

  deleteTopics(names: readonly string[]): Promise<void> {
    return this.#run(async (admin) => {
      for (const name of names) {
        try {
          await admin.deleteTopics({ topics: [name] });
        } catch (error) {
          if (!brokerTypes(error).includes("UNKNOWN_TOPIC_OR_PARTITION")) throw error;
        }
      }
    });
  }

  deleteRecords(topic: string, before: readonly { readonly partition: number; readonly offset: number }[]): Promise<void> {
    return this.#run(async (admin) => {
      // kafkajs looks for the leaders before it has asked about the topic.
      await admin.fetchTopicOffsets(topic);
      const partitions = before.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
  }

  config(topic: string): Promise<Readonly<Record<string, string>>> {
    return this.#run(async (admin) => {
      const type = kafkajs.ConfigResourceTypes.TOPIC;
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name: topic }] });
      return Object.fromEntries(
        resources.flatMap(({ configEntries }) => configEntries.map((entry) => [entry.configName, entry.configValue])),
      );
    });
  }

  offsets(topic: string): Promise<ReadonlyMap<number, { readonly low: number; readonly high: number }>> {
    return this.#run(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
    });
  }

  offsetsAt(topic: string, timestamp: number): Promise<ReadonlyMap<number, number>> {
    return this.#run(async (admin) => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp);
      return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
    });
  }

  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    return this.#run(async (admin) => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const known = found?.partitions.filter(({ offset }) => Number(offset) >= 0) ?? [];
      return new Map(known.map(({ partition, offset }) => [partition, Number(offset)]));
    });
  }

  groups(): Promise<readonly string[]> {
    return this.#run(async (admin) => (await admin.listGroups()).groups.map(({ groupId }) => groupId));
  }

  members(groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#run(async (admin) => {
      if (groups.length === 0) return new Map();
      const described = await admin.describeGroups([...groups]);
      return new Map(described.groups.map(({ groupId, members }) => [groupId, members.length]));
    });
  }

  deleteGroups(groups: readonly string[]): Promise<void> {
    return this.#run(async (admin) => {
      // One with members stays: it ends with them.
      if (groups.length > 0) await admin.deleteGroups([...groups]).catch(() => {});
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client !== undefined) await drop(this.#client);
  }

  sever(): void {
    this.#closed = true;
    this.#client?.sockets.destroy();
  }

  async #run<T>(action: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed) throw new EngineError("connection", "the connection was closed");
    this.#client ??= this.#open();
    const client = this.#client;
    try {
      await client.connected;
      const result = await action(client.admin);
      client.answered = true;
      this.#closedAtOnce = 0;
      return result;
    } catch (cause) {
      // Metadata of topics that are gone stays in a client and fails everything after: any failure begins anew.
      const current = this.#client === client;
      if (current) this.#client = undefined;
      const error = current ? this.#judge(client, cause) : toEngineError(cause);
      await drop(client);
      throw error;
    }
  }

  /**
   * A port that asks for SASL lets anyone connect and ask for its version, and closes at the first real request. Once may be a broker that stops;
   * several times, each after a connection, is a refusal.
   */
  #judge(client: Client, cause: unknown): EngineError {
    const closedAtOnce = !client.answered && (cause as Error).name === "KafkaJSConnectionClosedError";
    this.#closedAtOnce = closedAtOnce ? this.#closedAtOnce + 1 : 0;
    if (this.#options.settings.sasl !== undefined || this.#closedAtOnce < REFUSAL) return toEngineError(cause);
    return new EngineError("authentication", "the broker closes the connection at the first request: it may ask for SASL", cause);
  }

  #open(): Client {
    const sockets = createSockets();
    const admin = createClient(this.#options, sockets).admin();
    return { admin, sockets, connected: admin.connect(), answered: false };
  }
}

async function drop({ admin, sockets }: Client): Promise<void> {
  sockets.destroy();
  await admin.disconnect().catch(() => {});
}
