import type { ConsumeSpec } from "@waybill/core/transport";
import type { Broker } from "./broker.ts";
import { Cursor } from "./cursor.ts";
import type { Member, Why } from "./member.ts";
import { Stream } from "./stream.ts";
import type { BrokerTopic } from "./topic.ts";

/** What is given to members as one: a partition of the topic with the group's own messages for it. */
export interface Slot {
  readonly partition: number;
  readonly cursors: Cursor[];
  /** The group's own queue: of all its messages where there is no log, else of replays and delayed ones, made for the first of them. */
  own: Stream | undefined;
  owner: Member | undefined;
  /** The owner has been asked to give it up. */
  moving: boolean;
}

/** The members that share one copy of a topic. */
export class Group {
  readonly name: string;
  readonly topic: BrokerTopic;
  readonly broker: Broker;
  readonly slots: readonly Slot[];
  readonly dead: Stream;
  readonly members = new Set<Member>();
  #begun = false;
  #balancing = false;

  constructor(topic: BrokerTopic, name: string) {
    this.name = name;
    this.topic = topic;
    this.broker = topic.broker;
    const { memory } = this.broker;
    this.dead = new Stream({ memory, retain: true });
    this.slots = topic.partitions.map((log, partition) => {
      const stream = log ?? new Stream({ memory, retain: false });
      return {
        partition,
        cursors: [new Cursor(stream)],
        own: log === undefined ? stream : undefined,
        owner: undefined,
        moving: false,
      };
    });
  }

  /** Members of a topic without keys take turns at one queue, where the profile has it so. */
  get #competing(): boolean {
    return this.broker.profile.competing && !this.topic.keyed;
  }

  /** The id of a source, the same over epochs. */
  idOf(cursor: Cursor, partition: number): string {
    const { name, partitions } = this.topic;
    const log = partitions[partition];
    return log !== undefined && log !== cursor.stream ? `${name}.${this.name}.retry/${partition}` : `${name}/${partition}`;
  }

  /** Settles where the group begins in the log, once: at its first member, not when it was declared. */
  begin(from: ConsumeSpec["from"]): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const { partition, cursors } of this.slots) {
      const log = this.topic.partitions[partition];
      if (log === undefined) continue;
      const index = from === "earliest" ? log.start : from === "latest" ? log.end : log.seek(from.getTime());
      cursors[0]?.begin(index);
    }
  }

  /** The group's own queue of a partition. */
  queue(partition: number): Stream | undefined {
    const slot = this.slots[partition];
    if (slot === undefined || slot.own !== undefined) return slot?.own;
    slot.own = new Stream({ memory: this.broker.memory, retain: false });
    const cursor = new Cursor(slot.own);
    slot.cursors.push(cursor);
    this.broker.turns.next(() => {
      // A hand-over since, or in progress, takes it along.
      if (!slot.moving && cursor.holdings.size === 0) slot.owner?.hold(cursor, partition);
    });
    return slot.own;
  }

  join(member: Member): void {
    this.members.add(member);
    if (this.#competing) for (const slot of this.slots) member.gain(slot);
    else this.#balanceSoon();
  }

  leave(member: Member, why: Why): void {
    if (!this.members.delete(member)) return;
    const owned = this.slots.filter((slot) => slot.owner === member);
    for (const slot of owned) free(slot);
    member.lose(this.#competing ? this.slots : owned, why);
    this.#balanceSoon();
  }

  /** The member has vanished; nobody knows until its session is over. */
  sever(member: Member): void {
    member.severed = true;
    this.broker.agenda.after(this.broker.sessionTimeout, () => this.leave(member, "fenced"));
  }

  #balanceSoon(): void {
    if (this.#balancing || this.#competing) return;
    this.#balancing = true;
    this.broker.turns.next(() => {
      this.#balancing = false;
      this.#balance();
    });
  }

  /** Gives each member its fair part and moves as little as it can: those who have most keep the odd ones. */
  #balance(): void {
    if (this.members.size === 0) return;
    const parts = new Map<Member, Slot[]>([...this.members].map((member) => [member, []]));
    for (const slot of this.slots) if (slot.owner !== undefined && !slot.moving) parts.get(slot.owner)?.push(slot);
    const spare = this.slots.filter(({ owner }) => owner === undefined);
    const least = Math.floor(this.slots.length / parts.size);
    let odd = this.slots.length % parts.size;
    for (const [member, owned] of [...parts].sort(([, a], [, b]) => b.length - a.length)) {
      const due = odd-- > 0 ? least + 1 : least;
      if (owned.length > due) this.#handOver(member, owned.slice(due));
      for (const slot of spare.splice(0, due - owned.length)) {
        slot.owner = member;
        member.gain(slot);
      }
    }
  }

  #handOver(member: Member, slots: readonly Slot[]): void {
    if (member.severed) return;
    for (const slot of slots) slot.moving = true;
    const { agenda, turns } = this.broker;
    const { handover } = member.spec;
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      giveUp();
      turns.next(() => {
        // Those who have left in the meantime, or vanished, have nothing to hand over any more.
        if (member.severed || !this.members.has(member)) return;
        for (const slot of slots) free(slot);
        member.lose(slots, "handed-over");
        this.#balanceSoon();
      });
    };
    const giveUp = agenda.after(handover, finish);
    member.losing(slots, agenda.now() + handover).then(finish, finish);
  }
}

function free(slot: Slot): void {
  slot.owner = undefined;
  slot.moving = false;
}
