import type { Kafka, KafkaMessage } from "kafkajs";
import { EngineError, type EngineReader, type Stretch, type TopicPartition } from "../engine.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { brokerTypes, toEngineError } from "./errors.ts";
import { toRecord } from "./record.ts";
import { createSockets, type Sockets } from "./sockets.ts";

/** The part of kafkajs's cluster by which its consumers fetch. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(query: { readonly nodeId: string }): Promise<{ fetch(request: FetchRequest): Promise<FetchResponse> }>;
}

interface FetchRequest {
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: number; readonly maxBytes: number }[];
  }[];
}

interface FetchResponse {
  readonly responses: readonly {
    readonly partitions: readonly { readonly highWatermark: string; readonly messages: readonly RawMessage[] }[];
  }[];
}

type RawMessage = KafkaMessage & {
  readonly isControlRecord: boolean;
  readonly batchContext?: { readonly firstOffset: string; readonly lastOffsetDelta: number };
};

interface Client {
  readonly cluster: Cluster;
  readonly sockets: Sockets;
  readonly connected: Promise<void>;
}

/** What is asked for at first. A broker gives one batch whole, however large. */
const FETCH = 256 * 1_024;
/** Larger than any batch with what may stand before it. */
const MOST = 64 * 1_024 * 1_024;
/** Uncommitted transactions too: what dead letters are written with has none. */
const READ_UNCOMMITTED = 0;

/**
 * Fetches by the same requests as kafkajs's consumers, which cannot be had without joining a group: that takes seconds, and rights on the group.
 */
export class KafkajsReader implements EngineReader {
  readonly #options: ClientOptions;
  #client: Client | undefined;
  #closed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async read(of: TopicPartition, offset: number): Promise<Stretch | undefined> {
    if (this.#closed) throw new EngineError("connection", "the connection was closed");
    this.#client ??= this.#open();
    const client = this.#client;
    try {
      await client.connected;
      return await fetch(client.cluster, of, offset);
    } catch (cause) {
      if (brokerTypes(cause).includes("OFFSET_OUT_OF_RANGE")) return undefined;
      // A leader may have moved: what is known of the topic is asked for anew.
      if (this.#client === client) this.#client = undefined;
      await drop(client);
      throw toEngineError(cause);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client !== undefined) await drop(this.#client);
  }

  sever(): void {
    this.#closed = true;
    this.#client?.sockets.destroy();
  }

  #open(): Client {
    const sockets = createSockets();
    const cluster = clusterOf(createClient(this.#options, sockets));
    return { cluster, sockets, connected: cluster.connect() };
  }
}

async function fetch(cluster: Cluster, { topic, partition }: TopicPartition, offset: number): Promise<Stretch> {
  await cluster.addTargetTopic(topic);
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new EngineError("unknown-topic", `there is no partition ${partition} of ${topic}`);
  const broker = await cluster.findBroker({ nodeId });
  for (let maxBytes = FETCH; ; maxBytes *= 4) {
    const partitions = [{ partition, fetchOffset: offset, maxBytes }];
    const request = { maxWaitTime: 100, minBytes: 1, maxBytes, isolationLevel: READ_UNCOMMITTED };
    const { responses } = await broker.fetch({ ...request, topics: [{ topic, partitions }] });
    const found = responses[0]?.partitions[0];
    const last = found?.messages.at(-1);
    if (found !== undefined && last !== undefined) {
      const { batchContext: batch } = last;
      const next = 1 + (batch === undefined ? Number(last.offset) : Number(batch.firstOffset) + batch.lastOffsetDelta);
      // A batch comes whole, also when it begins before what was asked for.
      const records = found.messages.filter((message) => !message.isControlRecord && Number(message.offset) >= offset);
      return { records: records.map(toRecord), next };
    }
    // Compaction leaves empty batches, and the next that is not may not have fitted behind them.
    if (maxBytes >= MOST) return { records: [], next: Number(found?.highWatermark ?? offset + 1) };
  }
}

/** kafkajs keeps the making of a cluster behind a symbol that it does not export. */
function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === "private:Kafka:createCluster");
  const create = symbol === undefined ? undefined : (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol];
  if (create === undefined) throw new EngineError("refused", "this version of kafkajs has no cluster to fetch by");
  return create({ allowAutoTopicCreation: false, metadataMaxAge: 300_000 });
}

async function drop({ cluster, sockets, connected }: Client): Promise<void> {
  await connected.catch(() => {});
  await cluster.disconnect().catch(() => {});
  sockets.destroy();
}
