import type { TransportAdmin } from "@waybill/core/transport";
import { MemoryDeadLetters } from "./dead-letters.ts";
import * as errors from "./errors.ts";
import type { Link } from "./link.ts";

/** Looks into the broker, over a link. */
export class MemoryAdmin implements TransportAdmin {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async topics() {
    const { topics } = await this.#link.reach();
    return [...topics.values()].map(({ name, partitions }) => ({ name, partitions: partitions.length }));
  }

  async groups(topic: string) {
    const { topics } = await this.#link.reach();
    const found = topics.get(topic);
    if (found === undefined) throw errors.topicNotFound(topic);
    return [...found.groups.values()].map(({ name, members }) => ({ group: name, members: members.size }));
  }

  async deleteTopic(topic: string): Promise<void> {
    (await this.#link.reach()).deleteTopic(topic);
  }

  deadLetters(topic: string, group: string): MemoryDeadLetters {
    return new MemoryDeadLetters(this.#link, topic, group);
  }
}
