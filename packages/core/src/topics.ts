import { WaybillError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { checkTopicName, confusable } from "./names.ts";
import type { LiveTopic } from "./publish/route.ts";
import { keyOf, type Topic } from "./topic.ts";
import type { Connection, Provision, Provisioned, TopicSpec } from "./transport.ts";
import { toMilliseconds } from "./units.ts";

const PARTITIONS = 4;

interface Known {
  readonly spec: TopicSpec;
  live: LiveTopic | Promise<LiveTopic> | undefined;
}

/** The topics that a bus has used: each is provisioned once, at its first use. */
export class Topics {
  readonly #known = new Map<string, Known>();
  readonly #byContract = new WeakMap<Topic, Known>();
  readonly #options: {
    prefix: string;
    mode: Provision;
    logger: Logger;
    connection: () => Promise<Connection>;
    signal: AbortSignal;
  };

  constructor(options: {
    prefix: string;
    mode: Provision;
    logger: Logger;
    connection: () => Promise<Connection>;
    signal: AbortSignal;
  }) {
    this.#options = options;
  }

  /** The live topic, at once where it is known; a failed provisioning is tried anew by the next call. */
  live(topic: Topic): LiveTopic | Promise<LiveTopic> {
    const known = this.#byContract.get(topic) ?? this.#know(topic);
    known.live ??= this.#provision(known);
    return known.live;
  }

  /** Throws `TOPIC_CONFLICT` where another definition of the same, or a confusable, name was used before. */
  #know(topic: Topic): Known {
    const { prefix } = this.#options;
    const spec = specOf(topic, prefix);
    const name = confusable(spec.name);
    const before = this.#known.get(name);
    if (before !== undefined) {
      const problem =
        before.spec.name !== spec.name
          ? `differs from "${before.spec.name}" only in "." and "_"`
          : before.spec.keyed !== spec.keyed
            ? "was used before with another definition: one has a key, the other has none"
            : before.spec.partitions !== spec.partitions
              ? `was used before with ${before.spec.partitions} partitions, now with ${spec.partitions}`
              : undefined;
      if (problem !== undefined) {
        throw new WaybillError("WAYBILL_TOPIC_CONFLICT", `Topic "${topic.name}" ${problem}.`, {
          topic: topic.name,
          hint: "Share one definition.",
        });
      }
    }
    const known = before ?? { spec, live: undefined };
    this.#known.set(name, known);
    this.#byContract.set(topic, known);
    return known;
  }

  #provision(known: Known): Promise<LiveTopic> {
    const { mode, logger, connection, signal } = this.#options;
    const { spec } = known;
    const settle = ({ partitions, drift }: Provisioned) => {
      for (const one of drift)
        logger.warn({ topic: spec.name, ...one }, "the live topic differs from its definition; what is live counts");
      const live = { spec, partitions };
      known.live = live;
      return live;
    };
    const provisioning = connection()
      .then((live) => live.provision(spec, mode, { signal }))
      .then(settle)
      .catch((error) => {
        known.live = undefined;
        throw error;
      });
    return provisioning;
  }
}

function specOf(topic: Topic, prefix: string): TopicSpec {
  const name = prefix + topic.name;
  checkTopicName(name);
  const { partitions = PARTITIONS, retention, groups = [], unrouted = "reject" } = topic.options;
  return {
    name,
    keyed: keyOf(topic) !== undefined,
    partitions,
    retention: retention === undefined ? undefined : toMilliseconds(retention),
    groups: [...groups],
    unrouted,
  };
}
