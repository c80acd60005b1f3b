import { backoffDelay, RECONNECT, type Role, sleep, type TransportContext, type WaybillError } from "@waybill/core/transport";
import { type ChannelModel, connect, credentials, type SocketOptions } from "amqplib";
import { answered } from "./channels.ts";
import { closedError, connectFailure } from "./errors.ts";
import type { Settings } from "./options.ts";

/**
 * One AMQP connection that comes back: connects at its first use, tries host after host for ever, and says what is wrong meanwhile.
 * Recovery hangs on `close`, because a connection that the broker closes by force emits no `error`.
 */
export class Link {
  readonly #name: "publish" | "copy" | "consume";
  readonly #settings: Settings;
  readonly #context: TransportContext;
  /** Ends attempts and waits when the link is closed. */
  readonly #ended = new AbortController();
  #socket = new AbortController();
  #model: ChannelModel | undefined;
  #coming: PromiseWithResolvers<ChannelModel> | undefined;
  #host = 0;
  #before = false;
  #failure: WaybillError | undefined;
  #blocked: string | undefined;

  constructor(name: "publish" | "copy" | "consume", settings: Settings, context: TransportContext) {
    this.#name = name;
    this.#settings = settings;
    this.#context = context;
  }

  /** Somebody has asked for it. */
  get used(): boolean {
    return this.#model !== undefined || this.#coming !== undefined || this.#failure !== undefined;
  }

  get closed(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Why it is not connected, or why the broker holds it back. */
  get problem(): { readonly down: boolean; readonly text: string } | undefined {
    if (!this.used || this.closed) return undefined;
    const what = { publish: "publishing", copy: "retry and dead-letter copies", consume: "consuming" }[this.#name];
    if (this.#model === undefined)
      return { down: true, text: `Not connected for ${what}: ${this.#failure?.message ?? "connecting."}` };
    return this.#blocked === undefined ? undefined : { down: false, text: `RabbitMQ holds back ${what}: ${this.#blocked}.` };
  }

  /** The open connection; waits for a broker that is down. Rejects where waiting cannot help, and once closed. */
  up(): Promise<ChannelModel> {
    if (this.closed) return Promise.reject(closedError());
    if (this.#model) return Promise.resolve(this.#model);
    if (!this.#coming) {
      this.#coming = Promise.withResolvers();
      // Nobody may be waiting when a reconnect fails for good.
      this.#coming.promise.catch(() => undefined);
      void this.#connect(this.#coming);
    }
    return this.#coming.promise;
  }

  /** Says goodbye if there is time. What channels still have to send must have been sent: amqplib throws it away here. */
  async close(deadline: number): Promise<void> {
    this.#ended.abort();
    this.#coming?.reject(closedError());
    const left = Math.max(0, deadline - this.#context.clock.now());
    if (this.#model && left > 0) await answered(this.#context.clock, this.#model.close(), left).catch(() => undefined);
    this.#socket.abort();
  }

  /** As a killed process ends it. */
  sever(): void {
    this.#ended.abort();
    this.#coming?.reject(closedError());
    this.#socket.abort();
  }

  async #connect(coming: PromiseWithResolvers<ChannelModel>): Promise<void> {
    const { clock, logger } = this.#context;
    const { hosts } = this.#settings;
    for (let attempt = 1; !this.closed; attempt++) {
      const host = hosts[this.#host % hosts.length] ?? { hostname: "", port: 0 };
      const address = `${host.hostname}:${host.port}`;
      try {
        this.#adopt(await this.#open(host), coming);
        return;
      } catch (cause) {
        this.#host++;
        const { error, fatal } = connectFailure(cause, address, this.#before);
        this.#failure = error;
        if (fatal) return this.#giveUp(coming, error);
        logger[attempt === 1 ? "warn" : "debug"](
          { err: error, host: address, attempt },
          `RabbitMQ cannot be reached for ${this.#name}`,
        );
      }
      // All hosts are tried before the first wait.
      const round = Math.ceil(attempt / hosts.length);
      if (attempt % hosts.length === 0)
        await sleep(clock, backoffDelay(RECONNECT, round), this.#ended.signal).catch(() => undefined);
    }
  }

  #open(host: Settings["hosts"][number]): Promise<ChannelModel> {
    const { vhost, username, password, auth, tls, heartbeat, connectTimeout } = this.#settings;
    this.#socket = new AbortController();
    const socket: SocketOptions & { readonly signal: AbortSignal } = {
      ...tls,
      credentials: auth === "external" ? credentials.external() : credentials.plain(username, password),
      clientProperties: { connection_name: `${this.#context.app} (${this.#name})` },
      // Off, an awaited publish of 4 KiB takes 44 ms instead of half a one.
      noDelay: true,
      timeout: connectTimeout,
      signal: this.#socket.signal,
    };
    return connect({ protocol: tls ? "amqps" : "amqp", ...host, vhost: encodeURIComponent(vhost), heartbeat }, socket);
  }

  #adopt(model: ChannelModel, coming: PromiseWithResolvers<ChannelModel>): void {
    let reason: Error | undefined;
    // Every consumer listens.
    model.setMaxListeners(0);
    model.on("error", (error) => {
      reason = error;
    });
    model.on("close", (error) => this.#lose(reason ?? error));
    model.on("blocked", (why) => {
      this.#blocked = why;
      this.#context.logger.warn({ reason: why }, `RabbitMQ holds back ${this.#name}`);
    });
    model.on("unblocked", () => {
      this.#blocked = undefined;
    });
    if (this.closed) {
      this.#socket.abort();
      return;
    }
    this.#before = true;
    this.#failure = undefined;
    this.#model = model;
    this.#coming = undefined;
    this.#say("connected");
    coming.resolve(model);
  }

  #lose(cause: Error | undefined): void {
    this.#model = undefined;
    this.#blocked = undefined;
    if (this.closed) return;
    const host = this.#settings.hosts[this.#host % this.#settings.hosts.length];
    this.#failure = connectFailure(cause ?? new Error("closed by the broker"), `${host?.hostname}:${host?.port}`, true).error;
    this.#host++;
    this.#say("disconnected", this.#failure);
    void this.up();
  }

  #giveUp(coming: PromiseWithResolvers<ChannelModel>, error: WaybillError): void {
    this.#coming = undefined;
    coming.reject(error);
  }

  #say(state: "connected" | "disconnected", error?: WaybillError): void {
    const role: Role = this.#name === "consume" ? "consume" : "publish";
    // Copies are the adapter's own business: the role is up when publishing is.
    if (this.#name !== "copy") this.#context.state(role, state, error);
    this.#context.logger[error ? "warn" : "info"]({ ...(error && { err: error }) }, `RabbitMQ ${state} for ${this.#name}`);
  }
}
