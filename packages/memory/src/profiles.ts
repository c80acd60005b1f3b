import type { Capabilities } from "@waybill/core/transport";

/** The brokers that memory can stand in for. */
export type Like = "kafka" | "rabbitmq";

/** Everything in which one kind of memory broker differs from another. */
export interface Profile {
  readonly capabilities: Capabilities;
  /** A topic without keys is one partition whose members compete, instead of partitions that are owned by one member each. */
  readonly competing: boolean;
  /** Another number of partitions than the live one is refused, because keys of one group would go astray. */
  readonly fixedPartitions: boolean;
  /** Messages carry their position. */
  readonly positions: boolean;
  /** A position is skipped after so many, as transactions and compaction do it in a log. */
  readonly gapEvery: number | undefined;
  /** Messages that come again say so. */
  readonly redelivered: boolean;
}

const MiB = 1_048_576;

/** Plain memory: all that any broker has to offer. */
const friendly: Profile = {
  capabilities: {
    log: true,
    singleSettlement: true,
    delay: true,
    partitionsGrow: true,
    unroutable: false,
    maxMessageBytes: undefined,
    maxHold: undefined,
    transactions: false,
    settleEvery: { messages: 100, ms: 0 },
  },
  competing: false,
  fixedPartitions: false,
  positions: true,
  gapEvery: undefined,
  redelivered: true,
};

const kafka: Profile = {
  ...friendly,
  capabilities: {
    ...friendly.capabilities,
    singleSettlement: false,
    maxMessageBytes: MiB,
    settleEvery: { messages: 1_000, ms: 200 },
  },
  gapEvery: 50,
  redelivered: false,
};

const rabbitmq: Profile = {
  capabilities: {
    ...friendly.capabilities,
    log: false,
    partitionsGrow: false,
    unroutable: true,
    maxMessageBytes: 16 * MiB,
    settleEvery: { messages: 100, ms: 5 },
  },
  competing: true,
  fixedPartitions: true,
  positions: false,
  gapEvery: undefined,
  redelivered: true,
};

/** What a memory broker can do and cannot, by the broker that it stands in for. */
export function profileOf(like: Like | undefined): Profile {
  return like === undefined ? friendly : { kafka, rabbitmq }[like];
}
