/**
 * The transport contract: what an adapter of one broker gives to core, and what core gives back.
 *
 * Core owns everything that two brokers would both need: contracts, encoding, batching, order per key, retry, dead letters, drain.
 * An adapter says how bytes go to one broker and come back, keeps its connections alive, and translates words and errors.
 * Times are milliseconds, sizes are bytes, deadlines are `Date.now()` values of the context's clock.
 */
import type { Clock } from "./clock.ts";
import type { WaybillError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** One broker, not yet connected: plain configuration. Making one does no I/O; several buses may share one. */
export interface Transport {
  /** `"memory"`, `"kafka"`, `"rabbitmq"`, …: for logs and errors. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** A connection of one bus. Synchronous: whatever needs the broker connects at its first use. */
  connect(context: TransportContext): Connection;
}

/** What a broker can do, as data: the guarantee check and the conformance suite read it. */
export interface Capabilities {
  /** Settled messages stay for `retention` and can be read again; a new group begins with what is retained. */
  readonly log: boolean;
  /** A message can be settled while an earlier one of its source is not. */
  readonly singleSettlement: boolean;
  /** {@link Destination} `delay` is supported. */
  readonly delay: boolean;
  /** Partitions can be added to a live topic. */
  readonly partitionsGrow: boolean;
  /** A message that no group's queue takes would be lost: publish rejects it unless the topic says `unrouted: "drop"`. */
  readonly unroutable: boolean;
  /** Largest message (key, body and headers) that the broker takes, where it is known in advance. */
  readonly maxMessageBytes: number | undefined;
  /** How long a delivered message may stay unsettled before the broker takes it back. */
  readonly maxHold: number | undefined;
  readonly transactions: boolean;
  /** How rarely core may settle without harm: whichever comes first. Cheap acknowledgements want small numbers, costly commits large ones. */
  readonly settleEvery: { readonly messages: number; readonly ms: number };
}

/** What a connection is given by its bus. */
export interface TransportContext {
  /** Client id for the broker's own tools. */
  readonly app: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The connection for a role came up or went down. Called for every change, not for every attempt. */
  state(role: Role, state: "connected" | "disconnected", error?: Error): void;
}

/** Publishing and consuming have connections of their own, so that a broker that blocks publishers does not stop settlement. */
export type Role = "publish" | "consume";

/**
 * A bus's tie to the broker. It reconnects by itself for as long as it is open, with jittered backoff, the first connection included;
 * only what no retry can cure (authentication, certificates, configuration, missing permission) rejects.
 */
export interface Connection {
  /** Resolves when the broker answers; waits for one that is down. Rejects with `AUTHENTICATION_FAILED`, `CONNECTION_FAILED` (certificates) or `CONFIG_INVALID`. */
  ready(options: WaitOptions): Promise<void>;
  /**
   * Makes the topic with its groups (`create`), compares (`check`: a missing one rejects with `TOPIC_NOT_FOUND`), or takes what is there (`off`).
   * Idempotent, safe beside others doing the same. A difference that would lose messages rejects with `TOPIC_MISMATCH`; others come back as `drift`.
   */
  provision(topic: TopicSpec, mode: Provision, options: WaitOptions): Promise<Provisioned>;
  /** `copy` is for retry and dead-letter copies: never held back by whatever holds back `publish`. */
  publisher(purpose: "publish" | "copy"): TransportPublisher;
  /** Joins a group. The same topic and group is consumed at most once a connection. */
  consume(spec: ConsumeSpec, sink: ConsumerSink): TransportConsumer;
  readonly admin: TransportAdmin;
  health(): TransportHealth;
  /** Publishers and consumers are closed by then. Bounded by `deadline`, always releases. Idempotent. */
  close(options: { readonly deadline: number }): Promise<void>;
  /** Tests only: vanish as a killed process does. No goodbye, no settlement any more, no reconnecting; handlers run on. */
  sever(): void;
}

/** Of calls that wait for a broker which is down: aborting ends the wait, and the call rejects with the reason of the signal. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What is missing on the broker: make it, refuse, or do not look. */
export type Provision = "create" | "check" | "off";

/** A topic as a broker sees it. */
export interface TopicSpec {
  /** With the bus's prefix. */
  readonly name: string;
  /** Ordered per key. A topic without keys promises no order. */
  readonly keyed: boolean;
  readonly partitions: number;
  readonly retention: number | undefined;
  /** Groups to provide for before the first publish. */
  readonly groups: readonly string[];
  readonly unrouted: "reject" | "drop";
}

/** A topic as it stands. */
export interface Provisioned {
  /** The live count, whatever was declared. Keys are placed by it. */
  readonly partitions: number;
  readonly drift: readonly Drift[];
}

/** A harmless difference between what was declared and what is there. */
export interface Drift {
  readonly what: string;
  readonly declared: string;
  readonly live: string;
}

// ---------------------------------------------------------------- messages

/** A message in its encoded form. */
export interface Envelope {
  /**
   * CloudEvents context attributes by their plain names (`id`, `source`, `type`, `time`, `correlationid`, …), without `specversion` and
   * `datacontenttype`. Each adapter binds them as its protocol binding says. Empty for a message of a foreign publisher.
   */
  readonly attributes: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly key: Uint8Array | undefined;
  /** `null` is a Kafka tombstone. */
  readonly body: Uint8Array | null;
  readonly timestamp: number;
  /** All other headers in order, duplicates included. Values are strings, or whatever a foreign publisher sent, kept exactly. */
  readonly headers: readonly Header[];
}

/** A name and its value, as they travel beside the attributes. */
export type Header = readonly [name: string, value: unknown];

/** An envelope as it came from the broker. */
export interface Incoming extends Envelope {
  /** Increases within an epoch of a source; gaps are allowed. Settlement speaks of it. */
  readonly token: number;
  /** Identity in a log, stable across epochs: core recognises redelivered work by it. Absent where the broker has none. */
  readonly position: string | undefined;
  readonly redelivered: boolean;
  /** The client's own message, for `delivery.raw.native`. */
  readonly native: unknown;
}

// ---------------------------------------------------------------- publishing

/** Where an envelope goes. `partition` is always explicit. */
export type Destination =
  | { readonly kind: "topic"; readonly topic: TopicSpec; readonly partition: number }
  /** To one group alone: replay. */
  | { readonly kind: "group"; readonly topic: TopicSpec; readonly partition: number; readonly group: string }
  /** To one group alone, not before `ms` have passed. */
  | { readonly kind: "delay"; readonly topic: TopicSpec; readonly partition: number; readonly group: string; readonly ms: number }
  /** `<topic>.<group>.dlq` */
  | { readonly kind: "dead"; readonly topic: TopicSpec; readonly partition: number; readonly group: string };

/** What became of one envelope. */
export type Outcome =
  /** Durably: it survives the loss of a broker that the broker's own settings say it survives. */
  | { readonly stored: true; readonly position: string | undefined }
  /**
   * `stored: false`: certainly not. `"unknown"`: perhaps (the connection went before the answer came).
   * `retry`: sending the same bytes again may succeed. Core then sends it, and everything after it in the batch, again before anything newer.
   */
  | { readonly stored: false | "unknown"; readonly retry: boolean; readonly error: WaybillError };

/** One way to the broker for envelopes. */
export interface TransportPublisher {
  /**
   * Sends a batch to one destination, in order, and answers for each envelope, in order; it rejects never.
   * Core has one call at a time in flight for a destination, and any number for different ones.
   * It may wait for a connection, but not past `deadline`.
   * Outcomes that ask for a retry form a suffix of the batch wherever order is kept.
   */
  publish(to: Destination, batch: readonly Envelope[], options: { readonly deadline: number }): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- consuming

/** What is to be consumed, and how much of it at once. */
export interface ConsumeSpec {
  readonly topic: TopicSpec;
  readonly group: string;
  /** Where a group that has no position yet begins. */
  readonly from: "earliest" | "latest" | Date;
  readonly provision: Provision;
  /** The most that core wants unsettled at once, over all sources. Prefetch and fetch sizes follow from it. */
  readonly window: { readonly messages: number; readonly bytes: number };
  /** How long an orderly hand-over may wait for running handlers. */
  readonly handover: number;
  /** Delays of {@link Destination} `delay` that this group will use, in milliseconds, shortest first. */
  readonly delays: readonly number[];
}

/** One stretch of ownership of a partition or queue. Every method may be called at any time; on a source that was lost they do nothing. */
export interface Source {
  /** The same over epochs: `"shop.orders/3"`. */
  readonly id: string;
  /** A new one each time the source is gained. */
  readonly epoch: string;
  readonly partition: number;
  /** Stops handing over; a batch that is on its way may still come. Survives nothing: a source is gained running. */
  pause(): void;
  resume(): void;
  /**
   * Settles all up to `upTo`, and `singles` behind it (only with the capability). Resolves when the broker has taken it, or when that is known
   * to be impossible: `"fenced"` when the source was lost, so that its messages come again. Never rejects; what a retry can cure is retried inside.
   */
  settle(what: Settlement): Promise<"ok" | "fenced">;
}

/** What core is done with, by the tokens of {@link Incoming}. */
export interface Settlement {
  /** Token of the last of an unbroken row of finished messages. */
  readonly upTo: number | undefined;
  readonly singles: readonly number[];
}

/** Core's side. Calls of one source come in order; none throws. */
export interface ConsumerSink {
  /** `committed`: the position the group stands at. `gap`: what follows it was dropped by the broker before the group read it. */
  gained(source: Source, info: { readonly committed: string | undefined; readonly gap: boolean }): void;
  batch(source: Source, messages: readonly Incoming[]): void;
  /**
   * Orderly hand-over. Core starts nothing more of these, waits for what runs (until `deadline` at most), settles, and resolves.
   * The adapter gives the sources up only then.
   */
  losing(sources: readonly Source[], deadline: number): Promise<void>;
  /** Gone: settling them is over. Also called after `losing`. */
  lost(sources: readonly Source[], why: "handed-over" | "fenced" | "connection" | "closed"): void;
  /** The consumer cannot go on and retrying cannot help (authentication, permission, a deleted topic under `provision: "off"`). */
  failed(error: WaybillError): void;
}

/** Membership in a group, over as many connections as it takes. */
export interface TransportConsumer {
  /** Resolves when nothing published from now on can be missed. Waits for a broker that is down; rejects where no retry can help. */
  readonly ready: Promise<void>;
  /** Core has drained and settled. Leaves the group in order, without losing a settlement. Bounded by `deadline`, always releases. Idempotent. */
  close(options: { readonly deadline: number }): Promise<void>;
}

// ---------------------------------------------------------------- operating

/** Looks at, and after, what stands on the broker. Names are those on the broker, with the prefix. */
export interface TransportAdmin {
  topics(): Promise<readonly { readonly name: string; readonly partitions: number }[]>;
  /** Groups of a topic, with the number of members that consume now. */
  groups(topic: string): Promise<readonly { readonly group: string; readonly members: number }[]>;
  /** Removes a topic with its groups and dead letters; a missing one is no error. */
  deleteTopic(topic: string): Promise<void>;
  /** The dead letters of a group; a group that has none has an empty store. Without I/O. */
  deadLetters(topic: string, group: string): DeadLetterStore;
}

/** The dead letters of one group, as they stand on the broker. */
export interface DeadLetterStore {
  count(): Promise<number>;
  /**
   * Oldest first, in pages of up to `page`; ends with what stood there when it began. Ending the iteration early releases everything. A broker may
   * hide from other readers what this one has been given, until it ends, and put what was given and not removed behind the rest then.
   */
  read(options: { readonly page: number; readonly signal?: AbortSignal | undefined }): AsyncIterable<readonly StoredDeadLetter[]>;
  /** Removes letters for good, while the reading that gave them is open. Resolves when the broker has done it; what is gone already is no error. */
  remove(letters: readonly StoredDeadLetter[]): Promise<void>;
}

/** A dead letter as it stands. */
export interface StoredDeadLetter {
  readonly envelope: Envelope;
  /** Whatever the adapter needs to remove it. */
  readonly handle: unknown;
}

/** How a connection is, as far as it knows without asking the broker. */
export interface TransportHealth {
  readonly status: "up" | "degraded" | "down";
  /** One sentence each. */
  readonly problems: readonly string[];
}
