import { type FoundBroker, findBroker } from "@waybill/tools";
import type { Broker } from "./benchmark.ts";

const SCHEMES: Readonly<Record<string, Broker>> = {
  "kafka:": "kafka",
  "amqp:": "rabbitmq",
  "memory:": "memory",
};

/** Where the brokers are, by URLs that were given or by looking for them; those that were started for this run end with it. */
export class Brokers implements AsyncDisposable {
  readonly #given: ReadonlyMap<Broker, string> | undefined;
  readonly #found = new Map<Broker, Promise<Awaited<ReturnType<typeof findBroker>>>>();

  /** Throws for a URL of no broker that is measured. */
  constructor(urls?: readonly string[]) {
    this.#given = urls && new Map(urls.map((url) => [brokerOf(url), url]));
  }

  /** A broker's URL, or why there is none. */
  async find(broker: Broker): Promise<{ readonly url: string } | { readonly reason: string }> {
    if (broker === "none") return { url: "" };
    const given = this.#given?.get(broker);
    if (given !== undefined) return { url: given };
    if (this.#given !== undefined) return { reason: `no --transport is a ${broker}` };
    if (broker === "memory") return { url: "memory:" };
    const found = this.#found.get(broker) ?? findBroker(broker);
    this.#found.set(broker, found);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const found = await Promise.all(this.#found.values());
    await Promise.all(found.filter((broker): broker is FoundBroker => "stop" in broker).map((broker) => broker.stop()));
  }
}

function brokerOf(url: string): Broker {
  const broker = SCHEMES[/^[a-z]+:/.exec(url)?.[0] ?? ""];
  if (broker === undefined) throw new Error(`Nothing is measured on ${url}: give kafka://…, amqp://… or memory:`);
  return broker;
}
