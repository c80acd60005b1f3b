import type { Clock } from "./clock.ts";
import { type DeadLetters, DeadLetterTools } from "./dead-letters.ts";
import { WaybillError } from "./errors.ts";
import { checkGroupName } from "./names.ts";
import type { LiveTopic } from "./publish/route.ts";
import type { Sender } from "./publish/sender.ts";
import type { Topic } from "./topic.ts";
import type { Connection } from "./transport.ts";

/** Looks at, and after, what stands on the broker. Topics are given by contract or by name, without the bus's prefix. */
export interface Admin {
  /** The topics under the bus's prefix. */
  topics(): Promise<readonly { readonly name: string; readonly partitions: number }[]>;
  /** The groups of a topic, with the number of members that consume now. */
  groups(topic: Topic | string): Promise<readonly { readonly group: string; readonly members: number }[]>;
  /** Removes a topic with all its messages, groups and dead letters. A missing one is no error. */
  deleteTopic(topic: Topic | string): Promise<void>;
  /** The messages of a topic that a group gave up on. Does no I/O by itself. */
  deadLetters(topic: Topic | string, group: string): DeadLetters;
}

export interface AdminOptions {
  readonly prefix: string;
  readonly connection: () => Promise<Connection>;
  readonly live: (topic: Topic) => LiveTopic | Promise<LiveTopic>;
  readonly copies: Sender;
  readonly clock: Clock;
}

/** The bus's view of a transport's admin. */
export class BusAdmin implements Admin {
  readonly #o: AdminOptions;

  constructor(options: AdminOptions) {
    this.#o = options;
  }

  async topics(): Promise<readonly { readonly name: string; readonly partitions: number }[]> {
    const { prefix, connection } = this.#o;
    const topics = await (await connection()).admin.topics();
    return topics.filter(({ name }) => name.startsWith(prefix)).map((one) => ({ ...one, name: one.name.slice(prefix.length) }));
  }

  async groups(topic: Topic | string): Promise<readonly { readonly group: string; readonly members: number }[]> {
    return (await this.#o.connection()).admin.groups(this.#full(topic));
  }

  async deleteTopic(topic: Topic | string): Promise<void> {
    await (await this.#o.connection()).admin.deleteTopic(this.#full(topic));
  }

  deadLetters(topic: Topic | string, group: string): DeadLetters {
    checkGroupName(group);
    const { connection, copies, clock } = this.#o;
    const live = async () => (typeof topic === "string" ? this.#byName(topic) : this.#o.live(topic));
    return new DeadLetterTools({ topic: this.#full(topic), group, connection, live, sender: copies, clock });
  }

  /** A topic whose contract nobody has here: what the broker says of it. */
  async #byName(topic: string): Promise<LiveTopic> {
    const name = this.#full(topic);
    const found = (await (await this.#o.connection()).admin.topics()).find((one) => one.name === name);
    if (found === undefined) throw new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `There is no topic "${topic}".`, { topic });
    const { partitions } = found;
    return {
      spec: { name, keyed: partitions > 1, partitions, retention: undefined, groups: [], unrouted: "reject" },
      partitions,
    };
  }

  #full(topic: Topic | string): string {
    return this.#o.prefix + (typeof topic === "string" ? topic : topic.name);
  }
}
