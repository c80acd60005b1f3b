import type { Clock } from "@waybill/core/transport";
import { brokerTypes } from "./errors.ts";
import type { FetchGate, FetchRequest, FetchResponse } from "./fetch-gate.ts";

/** The part of kafkajs's broker that a group's member uses. */
export interface GroupBroker {
  joinGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<Joined>;
  heartbeat(request: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>;
  offsetCommit(request: CommitRequest): Promise<unknown>;
  fetch(request: FetchRequest): Promise<FetchResponse>;
}

interface Joined {
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
}

interface CommitRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupGenerationId: number;
  readonly topics: readonly CommitTopic[];
}

export interface CommitTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: unknown }[];
}

/** The part of kafkajs's cluster by which a consumer gets at brokers. It is what a partition assigner is given. */
export interface GroupCluster {
  findBroker(query: { readonly nodeId: string | number }): Promise<GroupBroker>;
  findGroupCoordinator(query: { readonly groupId: string }): Promise<GroupBroker>;
  readonly brokerPool: {
    /** Asks one broker after the other; `null` when all have failed, whyever. */
    withBroker<T>(ask: (asked: unknown) => Promise<T>): Promise<T | null>;
  };
}

export interface MembershipOptions {
  readonly group: string;
  readonly heartbeatInterval: number;
  /** How long joining again may be held. */
  readonly handover: number;
  readonly clock: Clock;
  /** What fetches go through. */
  readonly gate: FetchGate;
  revoking(deadline: number): Promise<void>;
  fenced(): void;
  outOfRange(topics: readonly CommitTopic[]): void;
}

const GONE = ["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"];
const LATE = [...GONE, "REBALANCE_IN_PROGRESS"];

/**
 * What kafkajs has no hook for, put around the broker objects of one consumer (no prototype is touched, other clients stay as they are):
 * fetches leave out what is paused, joining again waits until running work is settled, commits speak for the generation in which the partitions were assigned, and an offset that
 * is out of range is reported in place of being reset in silence (https://github.com/tulios/kafkajs/issues/1119).
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #wrapped = new WeakSet<GroupBroker>();
  #cluster: GroupCluster | undefined;
  #coordinator: GroupBroker | undefined;
  #joined: Joined | undefined;
  /** The partitions of `#joined` are ours. */
  #owner = false;
  #joining: Promise<Joined> | undefined;
  #closed = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get joined(): Joined | undefined {
    return this.#joined;
  }

  attach(cluster: GroupCluster): void {
    if (this.#cluster !== undefined) return;
    this.#cluster = cluster;
    tellRefusals(cluster);
    const find = cluster.findBroker.bind(cluster);
    cluster.findBroker = async (query) => {
      const broker = await find(query);
      this.#wrap(broker);
      return broker;
    };
  }

  /** The assignment of the latest generation has come. False when it is known already. */
  own(): boolean {
    if (this.#owner || this.#joined === undefined) return false;
    this.#owner = true;
    return true;
  }

  async commit(generation: number, topics: readonly CommitTopic[]): Promise<"ok" | "fenced" | "retry"> {
    const { group: groupId } = this.#options;
    if (!this.#owner || this.#closed || this.#joined?.generationId !== generation) return "fenced";
    const { memberId } = this.#joined;
    try {
      this.#coordinator ??= await this.#cluster?.findGroupCoordinator({ groupId });
      await this.#coordinator?.offsetCommit({ groupId, memberId, groupGenerationId: generation, topics });
      return "ok";
    } catch (error) {
      if (brokerTypes(error).some((type) => LATE.includes(type))) return "fenced";
      // It may have moved, or its connection may be gone.
      this.#coordinator = undefined;
      return "retry";
    }
  }

  /** Holds nothing any more. */
  close(): void {
    this.#closed = true;
    this.#owner = false;
  }

  #wrap(broker: GroupBroker): void {
    if (this.#wrapped.has(broker)) return;
    this.#wrapped.add(broker);
    const join = broker.joinGroup.bind(broker);
    const commit = broker.offsetCommit.bind(broker);
    const fetch = broker.fetch.bind(broker);
    broker.fetch = (request) => this.#options.gate.fetch(request, fetch);
    broker.joinGroup = (request) => {
      // Fetchers of several brokers may ask at once, and the broker would answer the last only.
      this.#joining ??= this.#join(broker, request, join).finally(() => {
        this.#joining = undefined;
      });
      return this.#joining;
    };
    broker.offsetCommit = async (request) => {
      const reset = request.topics.filter(({ partitions }) => partitions.some(({ offset }) => Number(offset) < 0));
      if (reset.length === 0) return commit(request);
      this.#options.outOfRange(reset);
      return undefined;
    };
  }

  async #join(
    broker: GroupBroker,
    request: Parameters<GroupBroker["joinGroup"]>[0],
    join: GroupBroker["joinGroup"],
  ): Promise<Joined> {
    if (this.#owner) await this.#release(broker, request.memberId);
    this.#coordinator = broker;
    this.#joined = await join(request);
    return this.#joined;
  }

  /** Waits for `revoking`, heartbeating, as long as the session holds. */
  async #release(broker: GroupBroker, memberId: string): Promise<void> {
    const { group: groupId, clock, handover, heartbeatInterval, revoking, fenced } = this.#options;
    const generation = this.#joined?.generationId ?? -1;
    if (memberId === "" || this.#closed) {
      this.#owner = false;
      fenced();
      return;
    }
    let over = false;
    let cancel = () => {};
    await new Promise<void>((resolve) => {
      const end = () => {
        over = true;
        cancel();
        giveUp();
        resolve();
      };
      const lose = () => {
        fenced();
        end();
      };
      const giveUp = clock.after(handover, lose);
      const beat = () => {
        cancel = clock.after(heartbeatInterval, () => {
          void broker.heartbeat({ groupId, memberId, groupGenerationId: generation }).then(again, (error: unknown) => {
            // REBALANCE_IN_PROGRESS is the answer to expect: it counts as a sign of life.
            if (this.#closed || brokerTypes(error).some((type) => GONE.includes(type))) lose();
            else again();
          });
        });
      };
      const again = () => {
        if (!over) beat();
      };
      beat();
      revoking(clock.now() + handover).then(end, end);
    });
    this.#owner = false;
  }
}

/** kafkajs takes a coordinator that may not be asked for one that cannot be found, and would look for it for ever. */
function tellRefusals({ brokerPool }: GroupCluster): void {
  const withBroker = brokerPool.withBroker.bind(brokerPool);
  brokerPool.withBroker = async (ask) => {
    let refusal: unknown;
    const answer = await withBroker((asked) =>
      ask(asked).catch((error: unknown) => {
        if (brokerTypes(error).includes("GROUP_AUTHORIZATION_FAILED")) refusal = error;
        throw error;
      }),
    );
    if (answer === null && refusal !== undefined) throw refusal;
    return answer;
  };
}
