import type { Clock } from "@waybill/core/transport";
import type { Channel, ChannelModel } from "amqplib";
import { answered, closeChannel, openChannel, withSpareChannel } from "./channels.ts";
import { REPLY, replyCode } from "./errors.ts";
import { rosterQueue, slotQueue } from "./names.ts";

/** What a member knows of its group. Views of different members may differ for a moment; the broker lets one consume all the same. */
export interface View {
  readonly slot: number;
  readonly members: number;
}

/** Far beyond any group: a claim that fails this often fails for another reason. */
const MOST_SLOTS = 10_000;

/**
 * A member's place in its group, without a coordinator. The slot is the lowest number whose exclusive queue was free; the number of members is the
 * number of consumers on the roster. Both go with the connection, so a killed member needs no one to notice.
 */
export class Membership {
  /** Its place goes with this connection. */
  readonly model: ChannelModel;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #group: string;
  readonly #roster: Channel;
  #slot = 0;

  private constructor(model: ChannelModel, clock: Clock, topic: string, group: string, roster: Channel) {
    this.model = model;
    this.#clock = clock;
    this.#topic = topic;
    this.#group = group;
    this.#roster = roster;
  }

  /** Rejects with the broker's 403 where this user may not declare the queues that it needs. */
  static async join(model: ChannelModel, clock: Clock, topic: string, group: string): Promise<Membership> {
    const roster = await openChannel(model, clock);
    const membership = new Membership(model, clock, topic, group, roster);
    try {
      const name = rosterQueue(topic, group);
      // A classic queue: on 3.10 a quorum queue that was declared just before the broker was killed may never have a leader again
      // (https://github.com/rabbitmq/ra/issues/179). Nothing is ever stored here.
      await answered(clock, roster.assertQueue(name, { durable: true, arguments: { "x-queue-type": "classic" } }));
      // Nothing is ever published there.
      await answered(
        clock,
        roster.consume(name, () => undefined),
      );
      membership.#slot = (await membership.#claim(MOST_SLOTS)) ?? MOST_SLOTS;
      return membership;
    } catch (error) {
      void closeChannel(roster, clock);
      throw error;
    }
  }

  /** The view now; moves to a lower slot where a member has left a gap below. Rejects when the roster has gone. */
  async look(): Promise<View> {
    const { consumerCount } = await answered(this.#clock, this.#roster.checkQueue(rosterQueue(this.#topic, this.#group)));
    const members = Math.max(1, consumerCount);
    if (this.#slot >= members) await this.#compact();
    return { slot: this.#slot, members };
  }

  /** Gives slot and place on the roster back. Never rejects. */
  async leave(timeout: number): Promise<void> {
    await closeChannel(this.#roster, this.#clock, timeout);
    await answered(this.#clock, this.#release(this.#slot), timeout).catch(() => undefined);
  }

  async #compact(): Promise<void> {
    const lower = await this.#claim(this.#slot);
    if (lower === undefined) return;
    const left = this.#slot;
    this.#slot = lower;
    await this.#release(left);
  }

  /** The lowest free slot below `limit`. */
  async #claim(limit: number): Promise<number | undefined> {
    return withSpareChannel(this.model, this.#clock, async (on) => {
      for (let slot = 0; slot < limit; slot++) {
        const name = slotQueue(this.#topic, this.#group, slot);
        const claimed = await on((channel) => channel.assertQueue(name, { exclusive: true, durable: false })).then(
          () => true,
          (error) => (replyCode(error) === REPLY.resourceLocked ? false : Promise.reject(error)),
        );
        if (claimed) return slot;
      }
      return undefined;
    });
  }

  async #release(slot: number): Promise<void> {
    await withSpareChannel(this.model, this.#clock, (on) =>
      on((channel) => channel.deleteQueue(slotQueue(this.#topic, this.#group, slot))),
    );
  }
}
