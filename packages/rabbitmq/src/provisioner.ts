import {
  type Destination,
  type Drift,
  type Provision,
  type Provisioned,
  type TopicSpec,
  type TransportContext,
  toError,
} from "@waybill/core/transport";
import type { ChannelModel } from "amqplib";
import { type OnChannel, withSpareChannel } from "./channels.ts";
import { operationError } from "./errors.ts";
import type { Link } from "./link.ts";
import { deadLetterQueue, delayName, groupExchange } from "./names.ts";
import { appendToRegistry, type RegistryRecord, readRegistry, standing } from "./registry.ts";
import {
  checkGroup,
  declareDelay,
  declareGroup,
  declareTopic,
  exists,
  livePartitions,
  missing,
  partitionsOf,
} from "./topology.ts";

/** Makes or compares what topics and groups consist of, and makes again what was deleted under us. */
export class Provisioner {
  readonly #context: TransportContext;
  /** Lines of the registry are published, which a memory alarm can hold back: never on the connection that consumes. */
  readonly #registry: Link;
  /** How each topic was provisioned last. */
  readonly #modes = new Map<string, Provision>();
  readonly #delays = new Set<string>();
  /** Exchanges and queues that the broker has reported missing. */
  readonly #gone = new Set<string>();

  constructor(context: TransportContext, registry: Link) {
    this.#context = context;
    this.#registry = registry;
  }

  /** As {@link Connection.provision} says, for these groups of the topic. */
  async provision(model: ChannelModel, topic: TopicSpec, mode: Provision, groups = topic.groups): Promise<Provisioned> {
    this.#modes.set(topic.name, mode);
    return withSpareChannel(model, this.#context.clock, async (on) => {
      const result = mode === "create" ? await this.#create(on, topic, groups) : await this.#compare(on, topic, mode, groups);
      for (const drift of result.drift)
        this.#context.logger.warn({ topic: topic.name, ...drift }, "RabbitMQ has something else than declared");
      return result;
    }).catch((cause) => {
      throw operationError(cause, `Topic "${topic.name}" cannot be provisioned`, { topic: topic.name });
    });
  }

  /** What must be declared before a publish to that destination; undefined when all of it stands, as nearly always. */
  prepare(to: Destination, model: ChannelModel): Promise<void> | undefined {
    const name = exchangeOrQueue(to);
    if (to.kind !== "delay") return this.#gone.has(name) ? this.#restore(to, name, model) : undefined;
    return this.#delays.has(name) ? undefined : this.#delay(to, name, model);
  }

  /** The broker says that an exchange is missing, or that nothing took what was published there. */
  lost(name: string): void {
    this.#delays.delete(name);
    this.#gone.add(name);
  }

  async #create(on: OnChannel, topic: TopicSpec, groups: readonly string[]): Promise<Provisioned> {
    await this.#remember(await this.#unknown(on, topic, groups));
    await declareTopic(on, topic);
    const drift: Drift[] = [];
    for (const group of groups) drift.push(...(await declareGroup(on, topic, group)));
    return { partitions: partitionsOf(topic), drift };
  }

  async #compare(on: OnChannel, topic: TopicSpec, mode: Provision, groups: readonly string[]): Promise<Provisioned> {
    const live = await livePartitions(on, topic);
    if (live === undefined) throw missing(`Topic "${topic.name}" does not exist.`, topic.name);
    const declared = partitionsOf(topic);
    // Throws: the broker names the live number.
    if (mode === "check" && live !== declared) await declareTopic(on, topic);
    if (mode === "check") for (const group of groups) await checkGroup(on, topic, group, live);
    const drift = live === declared ? [] : [{ what: "partitions", declared: String(declared), live: String(live) }];
    return { partitions: live, drift };
  }

  /** What is about to be created for the first time. */
  async #unknown(on: OnChannel, topic: TopicSpec, groups: readonly string[]): Promise<RegistryRecord[]> {
    const records: RegistryRecord[] = [];
    if (!(await exists(on, (channel) => channel.checkExchange(topic.name)))) {
      records.push({ topic: topic.name, partitions: partitionsOf(topic), keyed: topic.keyed });
    }
    for (const group of groups) {
      const known = await exists(on, (channel) => channel.checkQueue(deadLetterQueue(topic.name, group)));
      if (!known) records.push({ topic: topic.name, group });
    }
    return records;
  }

  /** Before creating, so that nothing stands on the broker that cannot be listed. It only serves to list, so failing is no reason to stop. */
  async #remember(records: readonly RegistryRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#registry
      .up()
      .then((model) => appendToRegistry(model, this.#context.clock, records))
      .catch((error) => {
        this.#context.logger.warn(
          { err: toError(error), records },
          "What is created cannot be listed later: the registry cannot be written",
        );
      });
  }

  async #delay(to: Destination & { kind: "delay" }, name: string, model: ChannelModel): Promise<void> {
    const { topic, group, ms } = to;
    await withSpareChannel(model, this.#context.clock, async (on) => {
      if (this.#modes.get(topic.name) !== "create" && (await exists(on, (channel) => channel.checkExchange(name)))) return;
      if (!(await exists(on, (channel) => channel.checkExchange(name))))
        await this.#remember([{ topic: topic.name, group, delay: ms }]);
      await declareDelay(on, topic.name, group, ms);
    }).catch((cause) => {
      throw operationError(cause, `A delay of ${ms} ms cannot be provided`, { topic: topic.name, group });
    });
    this.#delays.add(name);
    this.#gone.delete(name);
  }

  async #restore(to: Destination, name: string, model: ChannelModel): Promise<void> {
    const mode = this.#modes.get(to.topic.name) ?? "off";
    if (mode !== "create") {
      // Whoever made it may have made it again.
      this.#gone.delete(name);
      throw missing(`"${name}" does not exist.`, to.topic.name, to.kind === "topic" ? undefined : to.group);
    }
    // With an exchange its bindings are gone, also those of groups that this process does not know.
    const groups = to.kind === "topic" ? await this.#groupsOf(to.topic) : [to.group];
    await this.provision(model, to.topic, mode, groups);
    this.#gone.delete(name);
    this.#context.logger.warn({ topic: to.topic.name }, `"${name}" was missing on RabbitMQ and was declared again`);
  }

  async #groupsOf(topic: TopicSpec): Promise<readonly string[]> {
    const listed = await this.#registry
      .up()
      .then((registry) => readRegistry(registry, this.#context.clock))
      .catch(() => []);
    return [...new Set([...topic.groups, ...(standing(listed).get(topic.name)?.groups.keys() ?? [])])];
  }
}

/** Where a publish goes; for dead letters the queue, through the default exchange. */
export function exchangeOrQueue(to: Destination): string {
  switch (to.kind) {
    case "topic":
      return to.topic.name;
    case "group":
      return groupExchange(to.topic.name, to.group);
    case "delay":
      return delayName(to.topic.name, to.group, to.ms);
    case "dead":
      return deadLetterQueue(to.topic.name, to.group);
  }
}
