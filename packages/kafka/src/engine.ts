/**
 * The port behind which a Kafka client stands: what the rest of this package needs of one, and nothing of how it does it.
 * kafkajs is the first engine (`kafkajs/`); nothing outside that folder imports it.
 */
import type { Clock, Logger } from "@waybill/core/transport";
import type { Settings } from "./options.ts";

/** A record to be written. */
export interface NewRecord {
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: string | Uint8Array])[];
}

/** A record as it was read. */
export interface FetchedRecord {
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  /** The client's own record. */
  readonly native: unknown;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Why an engine failed. All but `connection` and `busy` stay as they are, however often one tries. */
export type EngineErrorKind =
  | "connection"
  /** The broker asks to try again: no leader, too few replicas, a coordinator that moves. */
  | "busy"
  | "authentication"
  | "certificate"
  | "authorization"
  | "unknown-topic"
  | "too-large"
  /** The broker refuses these very records. */
  | "refused"
  /** The numbering of an idempotent producer is broken: only another producer can go on. */
  | "poisoned";

/** What an engine rejects with. `reason` is the client's own words. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: EngineErrorKind;

  constructor(kind: EngineErrorKind, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.kind = kind;
  }

  /** The same call may succeed later. A topic may be about to appear on a broker that has not heard of it yet: callers bound that. */
  get retriable(): boolean {
    return this.kind === "connection" || this.kind === "busy" || this.kind === "poisoned";
  }
}

/** What became of records that were produced together: all or none of them stand in the log. */
export type Produced =
  | { readonly stored: true; readonly baseOffset: number | undefined }
  | { readonly stored: false | "unknown"; readonly error: EngineError };

export interface EngineProducer {
  /**
   * Appends to one partition, and answers when all in-sync replicas have it. What can be cured is tried again inside, without duplicates,
   * until `deadline`. Never rejects. One call a partition at a time.
   */
  produce(to: TopicPartition, records: readonly NewRecord[], deadline: number): Promise<Produced>;
  close(deadline: number): Promise<void>;
}

export interface MemberSpec {
  readonly group: string;
  readonly topics: readonly string[];
  /** How long joining again may wait for {@link MemberEvents.revoking}, in ms. */
  readonly handover: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
}

/** What a member was assigned by one rebalance. */
export interface Assignment {
  readonly generation: number;
  /** One member of each generation. */
  readonly leader: boolean;
  readonly partitions: readonly TopicPartition[];
}

export interface MemberEvents {
  /** A rebalance has begun. Joining again waits, while the session is kept alive, until this resolves. Everything is given up then. */
  revoking(deadline: number): Promise<void>;
  /** The session is over, or another member may own the partitions already. */
  fenced(): void;
  /** Nothing is fetched before {@link EngineMember.start}. */
  assigned(assignment: Assignment): void;
  /** Only of partitions that were started, in order, without a hole. */
  batch(from: TopicPartition, records: readonly FetchedRecord[]): void;
  /** The position is no longer, or not yet, in the log. Nothing is fetched until {@link EngineMember.start} is called again. */
  outOfRange(of: TopicPartition): void;
  /** The member is dead; only another one can go on. Called once, and not after `close`. */
  failed(error: EngineError): void;
}

export interface EngineMember {
  start(of: TopicPartition, offset: number, paused: boolean): void;
  pause(of: TopicPartition): void;
  resume(of: TopicPartition): void;
  /** Commits under the generation in which the partitions were assigned: `"fenced"` when that is over. Never rejects. */
  commit(
    generation: number,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): Promise<"ok" | "fenced" | "retry">;
  /** Leaves the group. */
  close(deadline: number): Promise<void>;
}

/** Reads where it is told to, apart from any group. */
export interface EngineReader {
  /** Some of what stands from `offset` on, which lies before the end of the log; `undefined` when the log has no such offset. */
  read(of: TopicPartition, offset: number): Promise<Stretch | undefined>;
  close(): Promise<void>;
}

/** A part of a log. Offsets that compaction took away are missing. */
export interface Stretch {
  readonly records: readonly FetchedRecord[];
  /** The offset behind it. */
  readonly next: number;
}

export interface TopicInfo {
  readonly name: string;
  /** Their number; ids are 0 to that. */
  readonly partitions: number;
  /** Every partition has a leader. */
  readonly available: boolean;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Every method rejects with an {@link EngineError} and tries only once or a few times: callers go on trying. */
export interface EngineAdmin {
  /** Resolves when a broker has answered a request that needs all of authentication. */
  ping(): Promise<void>;
  /** All topics, or those of `names` that exist. */
  topics(names?: readonly string[]): Promise<readonly TopicInfo[]>;
  /** Creates those that are missing. */
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  growTopic(name: string, partitions: number): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
  /** Removes what stands before `offset` in partitions of a topic. */
  deleteRecords(topic: string, before: readonly { readonly partition: number; readonly offset: number }[]): Promise<void>;
  config(topic: string): Promise<Readonly<Record<string, string>>>;
  /** By partition: the oldest offset there is, and the one that the next record gets. */
  offsets(topic: string): Promise<ReadonlyMap<number, { readonly low: number; readonly high: number }>>;
  /** By partition: the offset of the first record that is not older than `timestamp`. */
  offsetsAt(topic: string, timestamp: number): Promise<ReadonlyMap<number, number>>;
  /** By partition, without those that were never committed. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>>;
  groups(): Promise<readonly string[]>;
  /** Number of members by group. */
  members(groups: readonly string[]): Promise<ReadonlyMap<string, number>>;
  deleteGroups(groups: readonly string[]): Promise<void>;
}

export interface Engine {
  readonly admin: EngineAdmin;
  producer(state: (up: boolean, error?: Error) => void): EngineProducer;
  member(spec: MemberSpec, events: MemberEvents): EngineMember;
  reader(): EngineReader;
  /** Ends what stands after producers and members were closed. */
  close(deadline: number): Promise<void>;
  /** Destroys every socket and opens none again. */
  sever(): void;
}

/** Makes an engine. Does no I/O. */
export type EngineFactory = (options: { settings: Settings; clientId: string; logger: Logger; clock: Clock }) => Engine;
