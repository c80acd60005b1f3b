import {
  backoffDelay,
  type Capabilities,
  type Connection,
  type ConsumerSink,
  type ConsumeSpec,
  type Provision,
  type Provisioned,
  RECONNECT,
  sleep,
  type TopicSpec,
  type Transport,
  type TransportAdmin,
  type TransportConsumer,
  type TransportContext,
  type TransportHealth,
  type TransportPublisher,
  type WaitOptions,
} from "@waybill/core/transport";
import type { ChannelModel } from "amqplib";
import { abortable } from "./abortable.ts";
import { RabbitmqAdmin } from "./admin.ts";
import { closedError, operationError } from "./errors.ts";
import { Link } from "./link.ts";
import { LARGEST_MESSAGE, type RabbitmqOptions, resolveOptions, type Settings } from "./options.ts";
import { Provisioner } from "./provisioner.ts";
import { RabbitmqPublisher } from "./publisher.ts";
import { RabbitmqConsumer } from "./subscriber.ts";

/** RabbitMQ takes back what a consumer has not settled after this: `consumer_timeout`, 30 minutes by default. */
const CONSUMER_TIMEOUT = 30 * 60_000;

/**
 * A RabbitMQ broker or cluster, 3.10 or newer. Nothing is connected yet.
 * Throws one `CONFIG_INVALID` that lists every problem of the options, the URL and the `WAYBILL_RABBITMQ_*` variables.
 */
export function rabbitmq(options: RabbitmqOptions = {}): Transport {
  const settings = resolveOptions(options, process.env);
  return {
    name: "rabbitmq",
    capabilities: capabilitiesOf(settings),
    connect: (context) => new RabbitmqConnection(settings, context),
  };
}

/** For `amqp:` and `amqps:` URLs. */
export function fromUrl(url: string): Transport {
  return rabbitmq({ url });
}

function capabilitiesOf({ maxMessageBytes }: Settings): Capabilities {
  return {
    log: false,
    singleSettlement: true,
    delay: true,
    partitionsGrow: false,
    unroutable: true,
    maxMessageBytes,
    maxHold: CONSUMER_TIMEOUT,
    transactions: false,
    settleEvery: { messages: 16, ms: 5 },
  };
}

/**
 * Up to three AMQP connections, each opened at its first use. Publishing and consuming are apart, because the broker stops reading a connection that
 * publishes while memory or disk is short, acknowledgements included. Copies have a third for the same reason: on the consuming connection they would
 * stop settlement, and on the publishing one they would wait behind whatever it was stopped with.
 */
class RabbitmqConnection implements Connection {
  readonly admin: TransportAdmin;
  readonly #settings: Settings;
  readonly #context: TransportContext;
  readonly #publish: Link;
  readonly #copy: Link;
  readonly #consume: Link;
  readonly #provisioner: Provisioner;
  readonly #consumers = new Set<RabbitmqConsumer>();

  constructor(settings: Settings, context: TransportContext) {
    this.#settings = settings;
    this.#context = context;
    this.#publish = new Link("publish", settings, context);
    this.#copy = new Link("copy", settings, context);
    this.#consume = new Link("consume", settings, context);
    this.#provisioner = new Provisioner(context, this.#copy);
    this.admin = new RabbitmqAdmin(
      () => this.#control(),
      () => this.#copy.up(),
      context.clock,
    );
  }

  async ready({ signal }: WaitOptions): Promise<void> {
    await abortable(this.#control(), signal);
  }

  async provision(topic: TopicSpec, mode: Provision, { signal }: WaitOptions): Promise<Provisioned> {
    for (let attempt = 1; ; attempt++) {
      try {
        const model = await abortable(this.#control(), signal);
        return await abortable(this.#provisioner.provision(model, topic, mode), signal);
      } catch (cause) {
        if (signal?.aborted || this.#consume.closed) throw cause;
        const error = operationError(cause, `Topic "${topic.name}" cannot be provisioned`, { topic: topic.name });
        if (!error.retryable) throw error;
        await sleep(this.#context.clock, backoffDelay(RECONNECT, attempt), signal);
      }
    }
  }

  publisher(purpose: "publish" | "copy"): TransportPublisher {
    return purpose === "publish"
      ? new RabbitmqPublisher(this.#publish, this.#provisioner, this.#context, this.#settings.maxMessageBytes)
      : // A dead letter is larger than its message, by the headers that say why.
        new RabbitmqPublisher(this.#copy, this.#provisioner, this.#context, LARGEST_MESSAGE);
  }

  consume(spec: ConsumeSpec, sink: ConsumerSink): TransportConsumer {
    const consumer = new RabbitmqConsumer(
      this.#consume,
      this.#provisioner,
      this.#context,
      spec,
      sink,
      this.#settings.maxMessageBytes,
    );
    this.#consumers.add(consumer);
    return consumer;
  }

  health(): TransportHealth {
    const links = [this.#publish, this.#copy, this.#consume].flatMap(({ problem }) => problem ?? []);
    const shares = [...this.#consumers].flatMap(({ problem }) => problem ?? []);
    const problems = [...links.map(({ text }) => text), ...shares];
    if (links.some(({ down }) => down)) return { status: "down", problems };
    return { status: problems.length > 0 ? "degraded" : "up", problems };
  }

  async close({ deadline }: { readonly deadline: number }): Promise<void> {
    await Promise.all([this.#publish.close(deadline), this.#copy.close(deadline), this.#consume.close(deadline)]);
  }

  sever(): void {
    for (const consumer of this.#consumers) consumer.sever();
    for (const link of [this.#publish, this.#copy, this.#consume]) link.sever();
  }

  /** Declarations and checks go over the connection that publishing cannot stop, where there is one. */
  #control(): Promise<ChannelModel> {
    if (this.#consume.closed) return Promise.reject(closedError());
    return (this.#consume.used ? this.#consume : this.#publish).up();
  }
}
