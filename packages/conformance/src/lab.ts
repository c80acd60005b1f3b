import { type Bus, type BusOptions, createBus, type Topic, type TopicOptions, topic, unchecked } from "@waybill/core";
import { type Capabilities, type Connection, silentLogger, type Transport } from "@waybill/core/transport";
import { type Harness, type OwnBroker, patienceOf } from "./harness.ts";
import { until, within } from "./until.ts";

/** What most checks publish: the `n`-th message of a key, counted from 0. */
export interface Item {
  readonly key: string;
  readonly n: number;
}

export type Stream = Topic<{ readonly [type: string]: { readonly input: Item; readonly output: Item } }, "single">;

/** Told apart from every other run on the same broker, also from one on another machine. */
const RUN = `${process.pid.toString(36)}${Date.now().toString(36)}`;
let names = 0;

/** What one check works with. All that it makes is closed when the check is over. */
export class Lab {
  readonly harness: Harness;
  readonly capabilities: Capabilities;
  readonly patience: number;
  /** Names of topics that were made up here, for whoever cleans up. */
  readonly topics: string[] = [];
  readonly #connections = new Map<Bus, Connection[]>();
  readonly #severed = new Set<Bus>();
  readonly #gates: (() => void)[] = [];
  readonly #brokers: OwnBroker[] = [];

  constructor(harness: Harness, capabilities: Capabilities) {
    this.harness = harness;
    this.capabilities = capabilities;
    this.patience = patienceOf(harness);
  }

  /** A topic name that nothing else uses. */
  name(label = "items"): string {
    const name = `conformance-${RUN}-${names++}-${label}`;
    this.topics.push(name);
    return name;
  }

  /** A new topic of {@link Item}s, ordered by their key. */
  stream(options: TopicOptions & { readonly name?: string } = {}): Stream {
    const { name = this.name(), ...rest } = options;
    if (!this.topics.includes(name)) this.topics.push(name);
    // Not returned at once: the return type would take part in the inference.
    const made = topic(name, { ...rest, schema: unchecked<Item>(), key: ({ payload }) => payload.key });
    return made;
  }

  /** A new topic of {@link Item}s that promises no order. */
  keyless(options: TopicOptions = {}): Stream {
    const made = topic(this.name(), { ...options, schema: unchecked<Item>() });
    return made;
  }

  /** A new member: a bus on a transport of its own. */
  async bus(options: BusOptions = {}): Promise<Bus> {
    const { transport = await this.harness.transport(), ...rest } = options;
    if (typeof transport === "string") throw new TypeError("the suite needs the transport itself, to watch it");
    const connections: Connection[] = [];
    const bus = createBus({ app: "conformance", logger: silentLogger, ...rest, transport: watched(transport, connections) });
    this.#connections.set(bus, connections);
    return bus;
  }

  /** The member vanishes without a goodbye: nothing is settled any more, and its handlers run on. */
  sever(bus: Bus): void {
    this.#severed.add(bus);
    for (const connection of this.#connections.get(bus) ?? []) connection.sever();
  }

  /** Resolves when `condition` holds; rejects, saying what was waited for, when the harness's patience is over. */
  until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    return until(condition, what, this.patience);
  }

  /** What `promise` resolves with, unless that takes longer than the harness's patience. */
  within<T>(promise: Promise<T>, what: string): Promise<T> {
    return within(promise, what, this.patience);
  }

  /** A promise that the check opens, or that opens when the check is over. */
  gate(): { readonly opened: Promise<void>; open(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.push(resolve);
    return { opened: promise, open: resolve };
  }

  /** A broker that only this check uses. Removed when the check is over. */
  async ownBroker(): Promise<OwnBroker> {
    const broker = await this.harness.broker?.();
    if (broker === undefined) throw new TypeError('the check must say that it needs "broker"');
    this.#brokers.push(broker);
    return broker;
  }

  /** Ends the check: opens its gates, closes its buses, removes its brokers. Rejects when a bus that was not severed could not be closed. */
  async close(): Promise<void> {
    for (const open of this.#gates) open();
    try {
      await this.#closeBuses();
    } finally {
      await Promise.all(this.#brokers.map((broker) => broker.remove()));
    }
  }

  async #closeBuses(): Promise<void> {
    const failures: unknown[] = [];
    const close = async (bus: Bus) => {
      try {
        await this.within(bus.close({ timeout: this.patience / 2 }), "a bus to close");
      } catch (error) {
        if (!this.#severed.has(bus)) failures.push(error);
      }
    };
    await Promise.all([...this.#connections.keys()].map(close));
    if (failures.length > 0) throw failures[0];
  }
}

/** The same transport, with its connections remembered. */
function watched(transport: Transport, connections: Connection[]): Transport {
  return {
    name: transport.name,
    capabilities: transport.capabilities,
    connect(context) {
      const connection = transport.connect(context);
      connections.push(connection);
      return connection;
    },
  };
}
