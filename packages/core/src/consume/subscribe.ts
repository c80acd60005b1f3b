import type { Clock } from "../clock.ts";
import type { Events } from "../events.ts";
import type { Logger } from "../logger.ts";
import type { Delivery } from "../message.ts";
import type { Plugin } from "../plugin.ts";
import type { LiveTopic } from "../publish/route.ts";
import type { Sender } from "../publish/sender.ts";
import type { Topic } from "../topic.ts";
import type { Capabilities, Connection, Provision } from "../transport.ts";
import { announced } from "./announce.ts";
import { Attempts, type Call, KeepPlace, type Route } from "./attempt.ts";
import { type Batch, OpenBatch } from "./batch.ts";
import { Copies } from "./copies.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Entry } from "./entry.ts";
import type { ResolvedConsume } from "./options.ts";
import type { Handout } from "./pull.ts";
import { routeAll } from "./route.ts";
import { RunningSubscription } from "./running.ts";
import type { Gathering, Verdict } from "./verdict.ts";
import { Watchdog } from "./watchdog.ts";

/** How long a hand-over waits for running handlers: below the time after which brokers give up on a member. */
const HANDOVER = 20_000;
/** Enough for every handler to find work while the next batch is on its way. */
const WINDOW = { messages: 2_000, perHandler: 100, bytes: 64 * 1_048_576 };

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
  /** Batches instead of single deliveries. */
  readonly batches?: { readonly gathering: Gathering; handler(batch: Batch<Delivery>): unknown } | undefined;
  /** Deliveries are asked for. */
  readonly handout?: Handout | undefined;
  onClosed(): void;
}

/** Puts a subscription together; {@link RunningSubscription.start} lets it consume. */
export function assemble(
  shared: Shared,
  request: Request,
): { subscription: RunningSubscription; start(connection: Connection): Promise<void> } {
  const { bus, clock, logger, copies, plugins, provision } = shared;
  const { topic, live, route, options, capabilities, batches, handout, onClosed } = request;
  const { group, from, concurrency, keyed } = options;
  const spec = { ...live.spec, partitions: live.partitions };
  const perSlot = batches === undefined ? WINDOW.perHandler : 2 * batches.gathering.messages;
  const window = { messages: Math.max(WINDOW.messages, concurrency * perSlot), bytes: WINDOW.bytes };
  const events = shared.events.of(options.use);
  const stopping = new AbortController();
  const copying = new Copies({ sender: copies, clock, logger, closing: stopping.signal });
  const attempts = new Attempts({
    bus,
    topic,
    group,
    route,
    policy: options.policy,
    timeout: options.timeout,
    unhandled: options.unhandled,
    plugins: [...plugins, ...options.use].filter((plugin) => plugin.consume !== undefined),
    clock,
    events,
    logger,
    spec,
    copies: copying,
    onEarlyAck: (entry) => dispatcher.finish(entry),
  });
  const dispatcher: Dispatcher = new Dispatcher({
    clock,
    concurrency,
    keyed,
    window,
    settleEvery: capabilities.settleEvery,
    singleSettlement: capabilities.singleSettlement,
    attempt: (entry) => {
      watchdog.watch();
      return handout === undefined ? attempts.begin(entry) : pulled(attempts, entry, handout, route);
    },
    gathering: batches && {
      ...batches.gathering,
      attempt: (entries) => {
        watchdog.watch();
        return together(attempts, entries, topic, batches.handler);
      },
    },
    wanted: () => handout?.wanted ?? true,
    onFailed: (error) => subscription.fail(error),
  });
  const watchdog = new Watchdog({
    clock,
    after: options.stuckAfter,
    running: () => dispatcher.running,
    onStuck: ({ delivery }, ms) => {
      if (delivery === undefined) return;
      logger.warn({ topic: topic.name, group, id: delivery.id, type: delivery.type, ms }, "a handler has not come back");
      events.emit("stuck", { delivery, ms });
    },
  });
  const onClosing = () => handout?.close();
  const subscription: RunningSubscription = new RunningSubscription({
    bus,
    topic: topic.name,
    group,
    clock,
    events,
    dispatcher,
    copies: copying,
    watchdog,
    stopping,
    onClosing,
    onClosed,
  });
  if (handout !== undefined) handout.onDemand = () => dispatcher.poke();
  const consume = { topic: spec, group, from, provision, window, handover: HANDOVER, delays: options.policy.later };
  const sink = announced(dispatcher, { topic: topic.name, group, events, logger });
  return { subscription, start: (connection) => subscription.start(() => connection.consume(consume, sink)) };
}

/** One attempt of each entry, whose handlers are one call of `handler`. */
function together(
  attempts: Attempts,
  entries: readonly Entry[],
  topic: Topic,
  handler: (batch: Batch<Delivery>) => unknown,
): Promise<Verdict[]> {
  const batch = new OpenBatch(entries.length, handler);
  const verdicts = entries.map(async (entry, index) => {
    let joined = false;
    const join: Call = (delivery) =>
      new Promise<void>((resolve, reject) => {
        joined = true;
        batch.join(index, {
          delivery,
          lane: entry.lane,
          succeed: resolve,
          fail: reject,
          keepPlace: () => reject(new KeepPlace()),
        });
      });
    const verdict = await attempts.begin(entry, routeAll(topic, join));
    if (!joined) batch.absent();
    return verdict;
  });
  return Promise.all(verdicts);
}

/** One attempt whose handler is whoever receives the delivery. */
async function pulled(attempts: Attempts, entry: Entry, handout: Handout, route: Route): Promise<Verdict> {
  const arrived = handout.starting();
  const verdict = await attempts.begin(entry, (type) => {
    const call = route(type);
    return (
      call &&
      ((delivery, of) => {
        arrived();
        return call(delivery, of);
      })
    );
  });
  arrived();
  return verdict;
}
