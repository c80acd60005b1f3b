import type { TransportAdmin } from "@waybill/core/transport";
import * as errors from "./errors.ts";
import type { Link } from "./link.ts";

/** Looks into the broker, over a link. */
export class MemoryAdmin implements TransportAdmin {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async topics() {
    const { topics } = await this.#broker();
    return [...topics.values()].map(({ name, partitions }) => ({ name, partitions: partitions.length }));
  }

  async groups(topic: string) {
    const { topics } = await this.#broker();
    const found = topics.get(topic);
    if (found === undefined) throw errors.topicNotFound(topic);
    return [...found.groups.values()].map(({ name, members }) => ({ group: name, members: members.size }));
  }

  async deleteTopic(topic: string): Promise<void> {
    (await this.#broker()).deleteTopic(topic);
  }

  async #broker() {
    const { broker } = this.#link;
    await broker.turns.pause();
    if (!(await this.#link.waitUp())) throw errors.closed(broker.name);
    return broker;
  }
}
