import {
  backoffDelay,
  type ConsumerSink,
  type ConsumeSpec,
  RECONNECT,
  sleep,
  type TransportContext,
} from "@waybill/core/transport";
import { Committer } from "./committer.ts";
import { DelayLine } from "./delay-line.ts";
import {
  type Assignment,
  type EngineAdmin,
  EngineError,
  type EngineErrorKind,
  type EngineMember,
  type FetchedRecord,
  type TopicPartition,
} from "./engine.ts";
import { fromRecord } from "./mapping.ts";
import { delayOf, positionPrefix } from "./names.ts";
import { pins, type Start, startsOf } from "./positions.ts";
import { Purge } from "./purge.ts";
import { PartitionSource } from "./source.ts";

/** How often a member looks whether the leader has pinned where the group begins. */
const LOOK_AGAIN = 50;

const FATAL: ReadonlySet<EngineErrorKind> = new Set(["authentication", "authorization", "certificate"]);

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export interface OwnershipOptions {
  readonly spec: ConsumeSpec;
  readonly sink: ConsumerSink;
  readonly admin: EngineAdmin;
  readonly context: TransportContext;
  readonly member: EngineMember;
  readonly assignment: Assignment;
  /** Distinguishes the generations of all members of this process. */
  readonly epoch: string;
  /** Positions cannot be read, and retrying cannot help. */
  failed(error: EngineError): void;
}

/** The partitions of one generation of one member, as sources: from their assignment to the next rebalance. */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #committer: Committer;
  readonly #sources = new Map<string, PartitionSource>();
  /** Of those sources whose messages wait for their time. */
  readonly #lines = new Map<string, DelayLine>();
  readonly #purge: Purge;
  #gained = 0;
  #over = false;

  constructor(options: OwnershipOptions) {
    const { member, assignment, context, admin } = options;
    this.#options = options;
    this.#purge = new Purge(admin, context);
    this.#committer = new Committer(member, assignment.generation, context.clock, () => this.lose("fenced"));
  }

  /** Resolves true when every partition is being read, or false when the ownership ended before. Waits for a broker that is down. */
  async begin(): Promise<boolean> {
    const { spec, admin, assignment, context } = this.#options;
    for (let attempt = 1; !this.#over; attempt++) {
      try {
        if (assignment.leader) await this.#pin(await pins(admin, spec));
        const starts = await startsOf(admin, spec, assignment.partitions);
        if (this.#over) return false;
        if (starts !== undefined) {
          for (const start of starts) this.#gain(start, start.gap);
          return true;
        }
        attempt = 0;
        await sleep(context.clock, LOOK_AGAIN);
      } catch (error) {
        if (error instanceof EngineError && FATAL.has(error.kind)) {
          this.#options.failed(error);
          return false;
        }
        context.logger.debug({ error, topic: spec.topic.name, group: spec.group }, "positions cannot be read yet");
        await sleep(context.clock, backoffDelay(RECONNECT, attempt));
      }
    }
    return false;
  }

  batch(from: TopicPartition, records: readonly FetchedRecord[]): void {
    const source = this.#sources.get(keyOf(from));
    if (source === undefined || source.lost || records.length === 0) return;
    const line = this.#lines.get(keyOf(from));
    if (line === undefined) this.#deliver(source, records);
    else line.take(records);
  }

  /** The log has dropped what was to be read next. */
  async outOfRange(of: TopicPartition): Promise<void> {
    const { spec, admin, sink, context } = this.#options;
    const source = this.#sources.get(keyOf(of));
    if (source === undefined || this.#over) return;
    source.lose();
    this.#sources.delete(keyOf(of));
    this.#lines.get(keyOf(of))?.end();
    sink.lost([source], "fenced");
    for (let attempt = 1; !this.#over; attempt++) {
      try {
        const [start] = (await startsOf(admin, spec, [of])) ?? [];
        if (start !== undefined && !this.#over) this.#gain(start, true);
        return;
      } catch (error) {
        context.logger.debug({ error, ...of }, "a position that is out of range cannot be replaced yet");
        await sleep(context.clock, backoffDelay(RECONNECT, attempt));
      }
    }
  }

  /** Orderly: resolves when core has settled what it runs, and the partitions may go to others. */
  async release(deadline: number): Promise<void> {
    const sources = [...this.#sources.values()];
    if (sources.length > 0) await this.#options.sink.losing(sources, deadline);
    this.lose("handed-over");
  }

  lose(why: "handed-over" | "fenced" | "connection" | "closed"): void {
    if (this.#over) return;
    this.#over = true;
    this.#committer.end();
    for (const line of this.#lines.values()) line.end();
    this.#purge.end();
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    for (const source of sources) source.lose();
    if (sources.length > 0) this.#options.sink.lost(sources, why);
  }

  async #settleDelayed(of: TopicPartition, offset: number): Promise<"ok" | "fenced"> {
    const result = await this.#committer.commit(of, offset);
    if (result === "ok") this.#purge.settled(of, offset);
    return result;
  }

  #deliver(source: PartitionSource, records: readonly FetchedRecord[]): void {
    this.#options.sink.batch(
      source,
      records.map((record) => fromRecord(record, source.position(record.offset))),
    );
  }

  async #pin(offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await Promise.all(offsets.map(({ offset, ...of }) => this.#committer.commit(of, offset)));
  }

  #gain({ of, offset, committed }: Start, gap: boolean): void {
    const { spec, sink, member, epoch, context } = this.#options;
    const ms = delayOf(spec.topic.name, spec.group, of.topic);
    const line: DelayLine | undefined =
      ms === undefined
        ? undefined
        : new DelayLine({ flow: member, of, ms, clock: context.clock, deliver: (records) => this.#deliver(source, records) });
    const source: PartitionSource = new PartitionSource({
      name: { id: `${of.topic}/${of.partition}`, prefix: positionPrefix(spec.topic.name, spec.group, of.topic) },
      epoch: `${epoch}.${this.#gained++}`,
      of,
      flow: line ?? member,
      settle: (upTo) => (line === undefined ? this.#committer.commit(of, upTo + 1) : this.#settleDelayed(of, upTo + 1)),
    });
    this.#sources.set(keyOf(of), source);
    if (line !== undefined) this.#lines.set(keyOf(of), line);
    sink.gained(source, { committed: committed === undefined ? undefined : source.position(committed), gap });
    source.start(offset);
  }
}
