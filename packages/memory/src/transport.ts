import type {
  Capabilities,
  Connection,
  ConsumerSink,
  ConsumeSpec,
  Provision,
  Provisioned,
  TopicSpec,
  Transport,
  TransportContext,
  TransportHealth,
  TransportPublisher,
  WaitOptions,
} from "@waybill/core/transport";
import { MemoryAdmin } from "./admin.ts";
import { Broker } from "./broker.ts";
import { Link } from "./link.ts";
import { type MemoryOptions, optionsFromUrl, type ResolvedOptions, resolveOptions } from "./options.ts";
import { profileOf } from "./profiles.ts";
import { MemoryPublisher } from "./publisher.ts";
import { MemoryConsumer } from "./subscriber.ts";

/** A broker within the process. Throws `CONFIG_INVALID`. Nothing of it outlives the process. */
export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly capabilities: Capabilities;
  /** The broker itself, for tests. */
  readonly broker: Broker;

  constructor({ like, ...options }: ResolvedOptions) {
    const profile = profileOf(like);
    this.capabilities = profile.capabilities;
    this.broker = new Broker({ ...options, profile });
  }

  connect(context: TransportContext): Connection {
    return new MemoryConnection(new Link(this.broker, context));
  }
}

/** A broker of its own: buses that are given the same object talk to each other. Throws `CONFIG_INVALID`. */
export function memory(options: MemoryOptions = {}): Transport {
  return new MemoryTransport(resolveOptions(options));
}

const shared = new Map<string, Transport>();

/**
 * The broker of a URL: the same one for the same name and options, as long as the process lives, so that buses that are configured alike
 * talk to each other as they would over a real broker. Throws `CONFIG_INVALID`.
 */
export function fromUrl(url: string): Transport {
  const options = resolveOptions(optionsFromUrl(url), url);
  const key = JSON.stringify(options);
  const transport = shared.get(key) ?? new MemoryTransport(options);
  shared.set(key, transport);
  return transport;
}

class MemoryConnection implements Connection {
  readonly admin: MemoryAdmin;
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
    this.admin = new MemoryAdmin(link);
  }

  async ready({ signal }: WaitOptions): Promise<void> {
    this.#link.use("publish");
    await this.#link.reach(signal);
  }

  async provision(topic: TopicSpec, mode: Provision, { signal }: WaitOptions): Promise<Provisioned> {
    return (await this.#link.reach(signal)).provision(topic, mode);
  }

  publisher(purpose: "publish" | "copy"): TransportPublisher {
    return new MemoryPublisher(this.#link, purpose);
  }

  consume(spec: ConsumeSpec, sink: ConsumerSink): MemoryConsumer {
    return new MemoryConsumer(this.#link, spec, sink);
  }

  health(): TransportHealth {
    const { broker } = this.#link;
    if (!this.#link.up) return { status: "down", problems: [`The connection to ${broker.name} is down.`] };
    if (!broker.full) return { status: "up", problems: [] };
    return { status: "degraded", problems: [`The broker ${broker.name} is full of messages that its groups have not settled.`] };
  }

  async close(): Promise<void> {
    this.#link.close();
    await this.#link.broker.turns.pause();
  }

  sever(): void {
    this.#link.sever();
  }
}
