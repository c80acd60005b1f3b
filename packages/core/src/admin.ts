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
}

/** The bus's view of a transport's admin. */
export function prefixed(prefix: string, connection: () => Promise<Connection>): Admin {
  const full = (topic: Topic | string) => prefix + (typeof topic === "string" ? topic : topic.name);
  return {
    async topics() {
      const topics = await (await connection()).admin.topics();
      return topics.filter(({ name }) => name.startsWith(prefix)).map((one) => ({ ...one, name: one.name.slice(prefix.length) }));
    },
    groups: async (topic) => (await connection()).admin.groups(full(topic)),
    deleteTopic: async (topic) => (await connection()).admin.deleteTopic(full(topic)),
  };
}
