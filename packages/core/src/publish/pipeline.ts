import { weigh } from "../binding.ts";
import type { Clock } from "../clock.ts";
import { WaybillError } from "../errors.ts";
import type { Message } from "../message.ts";
import type { Emit, Plugin } from "../plugin.ts";
import type { PublishOptions, Receipt } from "../publisher.ts";
import type { Topic } from "../topic.ts";
import type { Capabilities, Destination } from "../transport.ts";
import { uuidv7 } from "../uuid.ts";
import { Call } from "./call.ts";
import { compose, type Defaults, type OutgoingMessage } from "./compose.ts";
import { checkSize, codecOf, encode } from "./encode.ts";
import { toEnvelope } from "./envelope.ts";
import { receiptsOf } from "./many.ts";
import { checkTimeout } from "./options.ts";
import { type Publishing, publishing, through } from "./plugins.ts";
import { isPromise } from "./promise.ts";
import { type LiveTopic, Route } from "./route.ts";
import type { Sender } from "./sender.ts";
import { Watch } from "./watch.ts";

/** What a {@link PublishPipeline} needs. */
export interface PipelineOptions {
  /** CloudEvents source of what is published. */
  readonly app: string;
  readonly clock: Clock;
  readonly sender: Pick<Sender, "send" | "gathers" | "flush">;
  /** Read for each message: known from the first provisioning on. */
  readonly capabilities: Pick<Capabilities, "maxMessageBytes">;
  /** Read once, at the first publish. */
  readonly plugins: () => readonly Plugin[];
  /** A topic as it stands on the broker, provisioned at its first use. The same object as long as nothing has changed. */
  readonly provisioned: (topic: Topic) => LiveTopic | Promise<LiveTopic>;
  /** What the running handler passes on to what it publishes. */
  readonly context: () => Defaults["context"];
  readonly emit: Emit;
  /** Milliseconds. @default 30,000 */
  readonly defaultTimeout?: number | undefined;
}

/**
 * From a call of publish to the sender: validate, key, plugins, encode, partition. Calls of one topic reach the sender in their order, whatever
 * of this is asynchronous; a call that fails or is given up frees the way. Where nothing is asynchronous all of it happens within the call.
 */
export class PublishPipeline {
  readonly #options: PipelineOptions;
  readonly #nextId = uuidv7();
  readonly #routes = new Map<string, Route>();
  readonly #gathers: (to: Destination) => boolean;
  /** Calls that wait for something before the sender. */
  readonly #pending: Watch<Call>;
  #plugins: readonly Publishing[] | undefined;
  #closed = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#gathers = (to) => options.sender.gathers(to);
    this.#pending = new Watch(options.clock, (call, why) => call.giveUp(why));
  }

  /** As `Publisher.publish` has it, with `type` undefined on a topic of one schema. Never throws. */
  publish(topic: Topic, type: string | undefined, payload: unknown, options: PublishOptions = {}): Promise<Receipt> {
    try {
      const call = this.#call(topic, options);
      return this.#run(call, compose(topic, { ...options, type, payload }, this.#defaults(call)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `Publisher.publishMany` has it. Never throws. */
  async publishMany(
    topic: Topic,
    messages: readonly OutgoingMessage[],
    options: Pick<PublishOptions, "timeout" | "signal"> = {},
  ): Promise<readonly Receipt[]> {
    const calls = messages.map(() => this.#call(topic, options));
    const composed = calls.map((call, i) =>
      attempt(() => compose(topic, messages[i] as OutgoingMessage, this.#defaults(call), ` (messages[${i}])`)),
    );
    let invalid: { readonly reason: unknown } | undefined;
    const all = composed.some(isPromise)
      ? Promise.all(composed).catch((reason: unknown) => {
          invalid = { reason };
          throw reason;
        })
      : undefined;
    const settled = await Promise.allSettled(
      // Each takes its place in the line now, and goes on when all are known to be valid.
      calls.map(async (call, i) =>
        this.#run(call, all === undefined ? (composed[i] as Message) : all.then((list) => list[i] as Message)),
      ),
    );
    if (invalid !== undefined) throw invalid.reason;
    if (settled.some(({ status }) => status === "rejected")) options.signal?.throwIfAborted();
    return receiptsOf(topic, settled);
  }

  /** Resolves when nothing is on its way any more, later calls and what the sender has included. */
  async flush(): Promise<void> {
    do {
      await this.#pending.empty();
      await this.#options.sender.flush();
    } while (this.#pending.size > 0);
  }

  /** Rejects with `CLOSED` what has not reached the sender, and all later calls. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const call of this.#pending.clear()) call.giveUp("closed");
  }

  #call(topic: Topic, { timeout, signal }: PublishOptions): Call {
    if (this.#closed) {
      throw new WaybillError("WAYBILL_CLOSED", `The bus is closed: nothing can be published to topic "${topic.name}".`, {
        topic: topic.name,
      });
    }
    signal?.throwIfAborted();
    let route = this.#routes.get(topic.name);
    if (route === undefined) {
      route = new Route();
      this.#routes.set(topic.name, route);
    }
    const patience = timeout === undefined ? (this.#options.defaultTimeout ?? 30_000) : checkTimeout(timeout);
    return new Call(topic, route, this.#options.clock.now(), patience, signal);
  }

  #defaults(call: Call): Defaults {
    return { source: this.#options.app, now: call.started, nextId: this.#nextId, context: this.#options.context() };
  }

  /** Through the plugins. */
  #run(call: Call, message: Message | PromiseLike<Message>): Promise<Receipt> {
    this.#plugins ??= publishing(this.#options.plugins());
    const plugins = this.#plugins;
    if (!isPromise(message) && plugins.length === 0) return this.#hand(call, message);
    return this.#wait(call, async () => through(plugins, await message, (last) => this.#hand(call, last)));
  }

  /** To the sender: at once where nothing has to be waited for. */
  #hand(call: Call, message: Message): Promise<Receipt> {
    const body = encode(call.topic, message);
    const live = this.#options.provisioned(call.topic);
    if (call.place !== undefined) return this.#handInTurn(call, message, body, live);
    if (call.route.line.free && !isPromise(body) && !isPromise(live)) return this.#send(call, message, body, live);
    return this.#wait(call, () => this.#handInTurn(call, message, body, live));
  }

  /** Takes a place in the line until `work` is done or the call is given up. */
  #wait(call: Call, work: () => Promise<Receipt>): Promise<Receipt> {
    const place = call.route.line.join();
    call.place = place;
    return new Promise((resolve, reject) => {
      call.reject = reject;
      this.#pending.add(call);
      void work()
        .then(resolve, reject)
        .finally(() => {
          this.#pending.delete(call);
          place.leave();
        });
    });
  }

  async #handInTurn(
    call: Call,
    message: Message,
    body: Uint8Array | PromiseLike<Uint8Array>,
    live: LiveTopic | PromiseLike<LiveTopic>,
  ): Promise<Receipt> {
    const [bytes, topic] = await Promise.all([body, live]);
    await call.place?.turn;
    if (call.over !== undefined) throw call.over.reason;
    // From here on the sender keeps the deadline and listens to the signal.
    this.#pending.delete(call);
    const receipt = this.#send(call, message, bytes, topic);
    call.place?.leave();
    return receipt;
  }

  /** Reaches the sender within the call. */
  async #send(call: Call, message: Message, body: Uint8Array, live: LiveTopic): Promise<Receipt> {
    const { topic, route, deadline, signal } = call;
    const { sender, capabilities, clock, emit } = this.#options;
    const envelope = toEnvelope(message, body, codecOf(topic).contentType);
    const bytes = weigh(envelope);
    checkSize(topic, bytes, capabilities.maxMessageBytes);
    const to = route.destination(live, envelope.key, this.#gathers);
    const position = await sender.send(to, envelope, { deadline, signal, bytes });
    const receipt: Receipt = { id: message.id, partition: to.partition, position };
    emit("published", { message, receipt, ms: clock.now() - call.started });
    return receipt;
  }
}

/** What `work` throws, as a rejection. */
function attempt<T>(work: () => T | PromiseLike<T>): T | PromiseLike<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
