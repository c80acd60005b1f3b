import type { Clock } from "./clock.ts";
import { WaybillError } from "./errors.ts";
import type { Events } from "./events.ts";
import type { Logger } from "./logger.ts";
import type { Capabilities, Connection, Role, Transport, TransportPublisher } from "./transport.ts";

/** How much later than its deadline a connection may be closed, in milliseconds. */
const GRACE = 500;

/** A bus's link to its transport: loaded and connected at first use, then the same for good. */
export class Link {
  readonly #options: {
    transport: Transport | (() => Promise<Transport>);
    app: string;
    clock: Clock;
    events: Events;
    logger: Logger;
  };
  readonly #down = new Map<Role, Error | undefined>();
  #transport: Promise<Transport> | undefined;
  #connection: Promise<Connection> | undefined;
  #capabilities: Capabilities | undefined;
  #live: Connection | undefined;
  #closed = false;

  constructor(options: {
    transport: Transport | (() => Promise<Transport>);
    app: string;
    clock: Clock;
    events: Events;
    logger: Logger;
  }) {
    this.#options = options;
  }

  /** Of the transport, once that is loaded. */
  get capabilities(): Capabilities | undefined {
    return this.#capabilities;
  }

  /** The transport, loaded if it was given by its URL. What is wrong with the URL rejects here. */
  transport(): Promise<Transport> {
    const { transport } = this.#options;
    this.#transport ??= (typeof transport === "function" ? transport() : Promise.resolve(transport)).then((loaded) => {
      this.#capabilities = loaded.capabilities;
      return loaded;
    });
    return this.#transport;
  }

  connection(): Promise<Connection> {
    if (this.#closed) return Promise.reject(new WaybillError("WAYBILL_CLOSED", "The bus is closed."));
    this.#connection ??= this.transport().then((transport) => {
      const { app, clock, logger } = this.#options;
      this.#live = transport.connect({ app, clock, logger, state: (role, state, error) => this.#state(role, state, error) });
      return this.#live;
    });
    return this.#connection;
  }

  /** A publisher that may be used before there is a connection. */
  publisher(purpose: "publish" | "copy"): TransportPublisher {
    let made: Promise<TransportPublisher> | undefined;
    const publisher = () => (made ??= this.connection().then((connection) => connection.publisher(purpose)));
    return {
      publish: async (to, batch, options) => (await publisher()).publish(to, batch, options),
      close: async () => (await made)?.close(),
    };
  }

  /** The connection, if there is one yet. */
  get live(): Connection | undefined {
    return this.#live;
  }

  /** Why a role has no connection now, a sentence for each. */
  get problems(): readonly string[] {
    return [...this.#down].map(([role, error]) => `the connection to ${role} is down${error ? `: ${error.message}` : ""}`);
  }

  async close(deadline: number): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    if (connection === undefined) return;
    // An adapter bounds this itself; one that does not must not hold the application.
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(Math.max(0, deadline - this.#options.clock.now()) + GRACE, resolve);
    await Promise.race([connection.close({ deadline }), late]).finally(cancel);
  }

  #state(role: Role, state: "connected" | "disconnected", error: Error | undefined): void {
    const { events, logger } = this.#options;
    if (state === "connected") {
      this.#down.delete(role);
      logger.info({ role }, "connected");
      events.emit("connected", { role });
    } else {
      this.#down.set(role, error);
      if (!this.#closed) logger.warn({ role, error }, "disconnected");
      events.emit("disconnected", { role, error });
    }
  }
}
