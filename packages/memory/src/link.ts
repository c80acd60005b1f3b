import type { Clock, Role, TransportContext } from "@waybill/core/transport";
import type { Broker } from "./broker.ts";
import * as errors from "./errors.ts";
import type { MemoryConsumer } from "./subscriber.ts";

/** What stands for the sockets of one connection: up, cut and restored, severed, or closed. */
export class Link {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly consumers = new Set<MemoryConsumer>();
  readonly #context: TransportContext;
  /** Roles in use, and whether they were reported as connected. */
  readonly #roles = new Map<Role, boolean>();
  readonly #waiting = new Set<() => void>();
  #ended: "closed" | "severed" | undefined;
  #cuts = 0;

  constructor(broker: Broker, context: TransportContext) {
    this.broker = broker;
    this.clock = context.clock;
    this.#context = context;
    broker.attach(this);
  }

  get up(): boolean {
    return this.broker.running && this.#ended === undefined;
  }

  get closed(): boolean {
    return this.#ended === "closed";
  }

  /** How often it was interrupted: what was asked before and answered after is lost on the way. */
  get cuts(): number {
    return this.#cuts;
  }

  /** A role is used from now on. */
  use(role: Role): void {
    if (this.#roles.has(role)) return;
    this.#roles.set(role, false);
    this.broker.turns.next(() => this.#report());
  }

  /** Waits until it is up, for `ms` at most and for no longer than it is open: `false` where it is not up then. */
  async waitUp(ms = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (!this.up && this.#ended === undefined && ms > 0) {
      await new Promise<void>((resolve) => {
        const stop = ms === Number.POSITIVE_INFINITY ? undefined : this.broker.agenda.after(ms, () => done());
        const done = () => {
          stop?.();
          signal?.removeEventListener("abort", done);
          this.#waiting.delete(done);
          resolve();
        };
        signal?.addEventListener("abort", done, { once: true });
        this.#waiting.add(done);
      });
      signal?.throwIfAborted();
    }
    return this.up;
  }

  /** The broker, a turn later and once it answers. */
  async reach(signal?: AbortSignal): Promise<Broker> {
    await this.broker.turns.pause();
    if (!(await this.waitUp(Number.POSITIVE_INFINITY, signal))) throw errors.closed(this.broker.name);
    return this.broker;
  }

  cut(): void {
    if (this.#ended !== undefined) return;
    this.#cuts++;
    for (const consumer of this.consumers) consumer.cut();
    this.broker.turns.next(() => this.#report());
  }

  restore(): void {
    if (this.#ended !== undefined) return;
    this.#wakeAll();
    for (const consumer of this.consumers) consumer.join();
    this.broker.turns.next(() => this.#report());
  }

  topicDeleted(name: string): void {
    for (const consumer of this.consumers) consumer.topicDeleted(name);
  }

  sever(): void {
    if (this.#ended !== undefined) return;
    this.#ended = "severed";
    this.#cuts++;
    for (const consumer of this.consumers) consumer.sever();
    this.#wakeAll();
  }

  close(): void {
    this.#ended = "closed";
    for (const consumer of this.consumers) void consumer.close();
    this.#wakeAll();
    this.broker.detach(this);
  }

  /** Tells of every change of a role that is used. */
  #report(): void {
    if (this.#ended !== undefined) return;
    for (const [role, known] of this.#roles) {
      if (known === this.up) continue;
      this.#roles.set(role, this.up);
      if (this.up) this.#context.state(role, "connected");
      else this.#context.state(role, "disconnected", errors.disconnected(this.broker.name));
    }
  }

  #wakeAll(): void {
    for (const done of this.#waiting) done();
  }
}
