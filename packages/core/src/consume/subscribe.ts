import type { Clock } from "../clock.ts";
import type { Events } from "../events.ts";
import type { Logger } from "../logger.ts";
import type { Plugin } from "../plugin.ts";
import type { LiveTopic } from "../publish/route.ts";
import type { Sender } from "../publish/sender.ts";
import type { Topic } from "../topic.ts";
import type { Capabilities, Connection, Provision } from "../transport.ts";
import { Attempts, type Route } from "./attempt.ts";
import { DeadLetters } from "./dead-letter.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { ResolvedConsume } from "./options.ts";
import { RunningSubscription } from "./running.ts";

/** How long a hand-over waits for running handlers: below the time after which brokers give up on a member. */
const HANDOVER = 20_000;
/** Enough for every handler to find work while the next batch is on its way. */
const WINDOW = { messages: 2_000, perHandler: 20, bytes: 64 * 1_048_576 };

/** What all subscriptions of a bus share. */
export interface Shared {
  readonly bus: object;
  readonly clock: Clock;
  readonly events: Events;
  readonly logger: Logger;
  readonly copies: Sender;
  readonly plugins: readonly Plugin[];
  readonly provision: Provision;
}

/** One call of `subscribe`, after its options were checked. */
export interface Request {
  readonly topic: Topic;
  readonly live: LiveTopic;
  readonly route: Route;
  readonly options: ResolvedConsume;
  readonly capabilities: Capabilities;
  onClosed(): void;
}

/** Puts a subscription together; {@link RunningSubscription.start} lets it consume. */
export function assemble(
  shared: Shared,
  request: Request,
): { subscription: RunningSubscription; start(connection: Connection): Promise<void> } {
  const { bus, clock, events, logger, copies, plugins, provision } = shared;
  const { topic, live, route, options, capabilities, onClosed } = request;
  const { group, from, concurrency, keyed } = options;
  const spec = { ...live.spec, partitions: live.partitions };
  const window = { messages: Math.max(WINDOW.messages, concurrency * WINDOW.perHandler), bytes: WINDOW.bytes };
  const stopping = new AbortController();
  const deadLetters = new DeadLetters({ sender: copies, clock, logger, topic: spec, group, closing: stopping.signal });
  const attempts = new Attempts({
    bus,
    topic,
    group,
    route,
    attempts: options.attempts,
    backoff: options.backoff,
    timeout: options.timeout,
    unhandled: options.unhandled,
    plugins: [...plugins, ...options.use].filter((plugin) => plugin.consume !== undefined),
    clock,
    events,
    logger,
    deadLetters,
    onEarlyAck: (entry) => dispatcher.finish(entry),
  });
  const dispatcher: Dispatcher = new Dispatcher({
    clock,
    concurrency,
    keyed,
    window,
    settleEvery: capabilities.settleEvery,
    singleSettlement: capabilities.singleSettlement,
    attempt: (entry) => attempts.begin(entry),
    onGap: (source) =>
      logger.error({ topic: topic.name, group, source: source.id }, "the broker dropped messages that this group had not read"),
    onFailed: (error) => subscription.fail(error),
  });
  const subscription = new RunningSubscription({
    bus,
    topic: topic.name,
    group,
    clock,
    dispatcher,
    deadLetters,
    stopping,
    onClosed,
  });
  const consume = { topic: spec, group, from, provision, window, handover: HANDOVER };
  return { subscription, start: (connection) => subscription.start((sink) => connection.consume(consume, sink)) };
}
