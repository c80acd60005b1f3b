import type { Destination, TopicSpec } from "@waybill/core/transport";
import type { Broker } from "./broker.ts";
import { Group } from "./group.ts";
import { Stream } from "./stream.ts";

/** A topic of the broker with its groups. */
export class BrokerTopic {
  readonly name: string;
  readonly broker: Broker;
  readonly keyed: boolean;
  readonly retention: number | undefined;
  /** A log each, which all groups read; none where each group has a queue of its own. */
  readonly partitions: readonly (Stream | undefined)[];
  readonly groups = new Map<string, Group>();

  constructor(broker: Broker, spec: TopicSpec, partitions: number) {
    this.name = spec.name;
    this.broker = broker;
    this.keyed = spec.keyed;
    this.retention = spec.retention;
    const { memory, profile } = broker;
    this.partitions = Array.from({ length: partitions }, () =>
      profile.capabilities.log ? new Stream({ memory, retain: true, gapEvery: profile.gapEvery }) : undefined,
    );
  }

  /** The group, made where it is missing. */
  group(name: string): Group {
    const group = this.groups.get(name) ?? new Group(this, name);
    this.groups.set(name, group);
    return group;
  }

  /** The streams that take a message for `to`. None: nobody would get it. */
  streamsFor(to: Destination): readonly Stream[] {
    if (to.kind === "topic") {
      const log = this.partitions[to.partition];
      return log === undefined ? [...this.groups.values()].flatMap((group) => group.queue(to.partition) ?? []) : [log];
    }
    const group = this.groups.get(to.group);
    const stream = to.kind === "dead" ? group?.dead : group?.queue(to.partition);
    return stream === undefined ? [] : [stream];
  }

  /** Forgets what has been retained for long enough. */
  expire(now: number): void {
    if (this.retention === undefined) return;
    for (const log of this.partitions) log?.expire(now - this.retention);
  }

  /** All that is stored for it. */
  streams(): Stream[] {
    const logs = this.partitions.filter((log) => log !== undefined);
    return [...logs, ...[...this.groups.values()].flatMap(({ slots, dead }) => [dead, ...slots.flatMap(({ own }) => own ?? [])])];
  }
}
