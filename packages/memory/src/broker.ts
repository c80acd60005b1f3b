import {
  type Destination,
  type Drift,
  type Envelope,
  type Outcome,
  type Provision,
  type Provisioned,
  systemClock,
  type TopicSpec,
  type WaybillError,
  weigh,
} from "@waybill/core/transport";
import { Agenda } from "./agenda.ts";
import * as errors from "./errors.ts";
import { Faults } from "./faults.ts";
import type { Group } from "./group.ts";
import type { Link } from "./link.ts";
import type { Profile } from "./profiles.ts";
import type { Memory } from "./stream.ts";
import { BrokerTopic } from "./topic.ts";
import { Turns } from "./turns.ts";

export interface BrokerOptions {
  /** For errors and logs. */
  readonly name: string;
  readonly profile: Profile;
  readonly maxBytes: number;
  readonly sessionTimeout: number;
}

/** What a copy for a retry or a dead letter may take beyond the limit: without it a full broker could not be emptied. */
const RESERVE = 1.25;
/** How far a full broker is emptied, so that it does not have to be done for each message. */
const EMPTIED = 0.75;

const STORED: Outcome = { stored: true, position: undefined };

/** The broker itself: topics, groups and what they store. Members and publishers reach it through their connections. */
export class Broker {
  readonly name: string;
  readonly profile: Profile;
  readonly sessionTimeout: number;
  readonly turns = new Turns();
  readonly agenda = new Agenda(systemClock);
  readonly faults = new Faults();
  readonly memory: Memory = { used: 0 };
  readonly topics = new Map<string, BrokerTopic>();
  readonly #maxBytes: number;
  readonly #links = new Set<Link>();
  #running = true;
  #full = false;
  #epochs = 0;

  constructor(options: BrokerOptions) {
    this.name = options.name;
    this.profile = options.profile;
    this.sessionTimeout = options.sessionTimeout;
    this.#maxBytes = options.maxBytes;
  }

  nextEpoch(): string {
    return String(++this.#epochs);
  }

  /** Whether it answers. */
  get running(): boolean {
    return this.#running;
  }

  attach(link: Link): void {
    if (this.#links.size === 0) this.agenda.start(link.clock);
    this.#links.add(link);
  }

  detach(link: Link): void {
    if (this.#links.delete(link) && this.#links.size === 0) this.agenda.stop();
  }

  /** Goes down, as a broker that is restarted: connections are cut, what is stored stays. For tests. */
  stop(): void {
    this.#running = false;
    for (const link of this.#links) link.cut();
  }

  start(): void {
    this.#running = true;
    for (const link of this.#links) link.restore();
  }

  /** All connections are lost and come back. For tests. */
  cut(): void {
    this.stop();
    this.turns.next(() => this.start());
  }

  /** Whether it takes no more messages for now. */
  get full(): boolean {
    return this.#full;
  }

  /** Throws `TOPIC_NOT_FOUND` or `TOPIC_MISMATCH`. */
  provision(spec: TopicSpec, mode: Provision): Provisioned {
    // Competing members need one queue, however many partitions were declared.
    const partitions = this.profile.competing && !spec.keyed ? 1 : spec.partitions;
    const found = this.topics.get(spec.name);
    if (found === undefined && mode !== "create") throw errors.topicNotFound(spec.name);
    const topic = found ?? new BrokerTopic(this, spec, partitions);
    this.topics.set(spec.name, topic);
    const drift = mode === "off" ? [] : this.#compare(topic, spec, partitions);
    for (const group of spec.groups) {
      if (mode === "create") topic.group(group);
      else if (mode === "check" && !topic.groups.has(group)) throw errors.topicNotFound(spec.name, group);
    }
    return { partitions: topic.partitions.length, drift };
  }

  /** The group that a member wants to join. Throws `TOPIC_NOT_FOUND`. */
  groupFor(spec: TopicSpec, group: string, mode: Provision): Group {
    this.provision(spec, mode);
    const topic = this.topics.get(spec.name);
    // In a log a group is nothing but its members and positions; a queue must be there.
    if (topic === undefined || (mode !== "create" && !this.profile.capabilities.log && !topic.groups.has(group))) {
      throw errors.topicNotFound(spec.name, group);
    }
    return topic.group(group);
  }

  /** Removes a topic with all that is stored for it. Its members lose their sources and try to come back. */
  deleteTopic(name: string): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    this.topics.delete(name);
    for (const stream of topic.streams()) stream.clear();
    for (const link of this.#links) link.topicDeleted(name);
  }

  /** What a group gave up on, or what any did. */
  deadLetters(topic: string, group?: string): Envelope[] {
    const groups = [...(this.topics.get(topic)?.groups.values() ?? [])].filter(
      ({ name }) => group === undefined || name === group,
    );
    return groups.flatMap(({ dead }) => [...dead].map(({ envelope }) => envelope));
  }

  /** Stores a batch in order and answers for each. From the first that may be sent again on, nothing is stored. */
  publish(to: Destination, batch: readonly Envelope[], purpose: "publish" | "copy"): Outcome[] {
    const topic = this.topics.get(to.topic.name);
    topic?.expire(this.agenda.now());
    const limit = this.#maxBytes * (purpose === "copy" ? RESERVE : 1);
    const outcomes: Outcome[] = [];
    let refused: Outcome | undefined;
    for (const envelope of batch) {
      const outcome: Outcome = refused ?? this.faults.takePublish(to) ?? this.#store(to, topic, envelope, limit);
      if (outcome.stored !== true && outcome.retry) refused = outcome;
      outcomes.push(outcome);
    }
    return outcomes;
  }

  #store(to: Destination, topic: BrokerTopic | undefined, envelope: Envelope, limit: number): Outcome {
    if (topic === undefined) return refuse(errors.topicNotFound(to.topic.name));
    const streams = topic.streamsFor(to);
    if (streams.length === 0) {
      if (to.partition >= topic.partitions.length) return refuse(errors.noPartition(topic.name, to.partition));
      if (to.kind !== "topic") return refuse(errors.topicNotFound(topic.name, to.group));
      return to.topic.unrouted === "drop" ? STORED : refuse(errors.unroutable(topic.name));
    }
    const bytes = weigh(envelope);
    const { maxMessageBytes } = this.profile.capabilities;
    if (maxMessageBytes !== undefined && bytes > maxMessageBytes)
      return refuse(errors.tooLarge(topic.name, bytes, maxMessageBytes));
    this.#full = !this.#hasRoom(bytes * streams.length, limit);
    if (this.#full) return { stored: false, retry: true, error: errors.full(this.name, topic.name, this.#maxBytes) };
    if (to.kind === "delay") return this.#storeLater(topic, to, envelope, bytes);
    let outcome = STORED;
    for (const stream of streams) {
      const entry = stream.append(envelope, bytes, this.agenda.now());
      if (to.kind === "topic" && this.profile.positions) outcome = { stored: true, position: String(entry.position) };
    }
    return outcome;
  }

  #storeLater(topic: BrokerTopic, to: Destination & { kind: "delay" }, envelope: Envelope, bytes: number): Outcome {
    this.memory.used += bytes;
    this.agenda.after(to.ms, () => {
      this.memory.used -= bytes;
      if (this.topics.get(topic.name) !== topic) return;
      for (const stream of topic.streamsFor(to)) stream.append(envelope, bytes, this.agenda.now());
    });
    return STORED;
  }

  /** Makes room, if it must, by dropping what is retained though every group has settled it, from the heads of all logs alike. */
  #hasRoom(bytes: number, limit: number): boolean {
    if (this.memory.used + bytes <= limit) return true;
    const enough = () => this.memory.used + bytes <= limit * EMPTIED;
    const logs = [...this.topics.values()].flatMap(({ partitions }) => partitions.filter((log) => log !== undefined));
    for (
      let left = logs.filter(({ spent }) => spent > 0);
      left.length > 0 && !enough();
      left = left.filter(({ spent }) => spent > 0)
    ) {
      for (const log of left) log.dropTo(log.start + Math.ceil(log.spent / 4));
    }
    return this.memory.used + bytes <= limit;
  }

  #compare(topic: BrokerTopic, spec: TopicSpec, partitions: number): Drift[] {
    const { fixedPartitions } = this.profile;
    const live = topic.partitions.length;
    const drift: Drift[] = [];
    if (fixedPartitions && topic.keyed !== spec.keyed) {
      throw errors.mismatch(spec.name, "keys:", spec.keyed, topic.keyed);
    }
    if (partitions !== live) {
      if (fixedPartitions) throw errors.mismatch(spec.name, "partitions:", partitions, live);
      drift.push({ what: "partitions", declared: String(partitions), live: String(live) });
    }
    if (spec.retention !== topic.retention && this.profile.capabilities.log) {
      drift.push({ what: "retention", declared: String(spec.retention), live: String(topic.retention) });
    }
    return drift;
  }
}

function refuse(error: WaybillError): Outcome {
  return { stored: false, retry: false, error };
}
