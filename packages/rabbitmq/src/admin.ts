import { type Clock, type DeadLetterStore, type TransportAdmin, WaybillError } from "@waybill/core/transport";
import type { ChannelModel } from "amqplib";
import { type OnChannel, withSpareChannel } from "./channels.ts";
import { RabbitmqDeadLetters } from "./dead-letters.ts";
import { operationError, REPLY, replyCode } from "./errors.ts";
import { deadLetterQueue, delayName, foreignExchange, groupExchange, partitionQueue, rosterQueue } from "./names.ts";
import { appendToRegistry, type ListedTopic, readRegistry, standing } from "./registry.ts";
import { exists } from "./topology.ts";

/** What AMQP 0-9-1 can tell of topics, together with the registry that says which there are. */
export class RabbitmqAdmin implements TransportAdmin {
  readonly #model: () => Promise<ChannelModel>;
  readonly #registry: () => Promise<ChannelModel>;
  readonly #clock: Clock;

  /** `registry` is a connection that may be held back for publishing. */
  constructor(model: () => Promise<ChannelModel>, registry: () => Promise<ChannelModel>, clock: Clock) {
    this.#model = model;
    this.#registry = registry;
    this.#clock = clock;
  }

  async topics(): Promise<readonly { readonly name: string; readonly partitions: number }[]> {
    return this.#on("Topics cannot be listed", async (on) => {
      const found: { name: string; partitions: number }[] = [];
      for (const [name, { partitions }] of await this.#listed()) {
        if (await exists(on, (channel) => channel.checkExchange(name))) found.push({ name, partitions });
      }
      return found;
    });
  }

  async groups(topic: string): Promise<readonly { readonly group: string; readonly members: number }[]> {
    const listed = (await this.#listed()).get(topic);
    return this.#on(`The groups of "${topic}" cannot be listed`, async (on) => {
      if (!(await exists(on, (channel) => channel.checkExchange(topic)))) {
        throw new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `Topic "${topic}" does not exist.`, { topic });
      }
      const found: { group: string; members: number }[] = [];
      for (const group of listed?.groups.keys() ?? []) {
        const first = await consumers(on, partitionQueue(topic, group, 0));
        if (first === undefined) continue;
        // A topic without keys has no roster: all members consume its one queue.
        found.push({ group, members: (await consumers(on, rosterQueue(topic, group))) ?? first });
      }
      return found;
    });
  }

  async deleteTopic(topic: string): Promise<void> {
    const listed = (await this.#listed()).get(topic);
    if (!listed) return;
    await this.#on(`Topic "${topic}" cannot be deleted`, async (on) => {
      await on((channel) => channel.deleteExchange(topic));
      await on((channel) => channel.deleteExchange(foreignExchange(topic, listed.partitions)));
      for (const [group, delays] of listed.groups) await deleteGroup(on, topic, group, listed, delays);
    });
    await appendToRegistry(await this.#registry(), this.#clock, [{ topic, deleted: true }]);
  }

  deadLetters(topic: string, group: string): DeadLetterStore {
    return new RabbitmqDeadLetters(this.#model, this.#clock, topic, group);
  }

  async #listed(): Promise<ReadonlyMap<string, ListedTopic>> {
    return standing(await readRegistry(await this.#registry(), this.#clock));
  }

  async #on<T>(what: string, work: (on: OnChannel) => Promise<T>): Promise<T> {
    return withSpareChannel(await this.#model(), this.#clock, work).catch((cause) => {
      throw operationError(cause, what);
    });
  }
}

/** Queues that are missing already are no error to the broker. Slots are exclusive and go with their members. */
async function deleteGroup(
  on: OnChannel,
  topic: string,
  group: string,
  { partitions }: ListedTopic,
  delays: ReadonlySet<number>,
): Promise<void> {
  const queues = [deadLetterQueue(topic, group), rosterQueue(topic, group)];
  for (let partition = 0; partition < partitions; partition++) queues.push(partitionQueue(topic, group, partition));
  for (const ms of delays) {
    queues.push(delayName(topic, group, ms));
    await on((channel) => channel.deleteExchange(delayName(topic, group, ms)));
  }
  for (const queue of queues) await on((channel) => channel.deleteQueue(queue));
  await on((channel) => channel.deleteExchange(groupExchange(topic, group)));
}

/** Of a queue; undefined when there is none. */
async function consumers(on: OnChannel, queue: string): Promise<number | undefined> {
  return on((channel) => channel.checkQueue(queue)).then(
    ({ consumerCount }) => consumerCount,
    (cause) => (replyCode(cause) === REPLY.notFound ? undefined : Promise.reject(cause)),
  );
}
