import {
  type Bus,
  type BusOptions,
  type DeadLettered,
  type Duration,
  type Message,
  type MessageOf,
  PublishTimeoutError,
  type Topic,
} from "@waybill/core";
import { createBusWith, describeDeadLetter, type Transport, WaybillError } from "@waybill/core/transport";
import { Activity } from "./activity.ts";
import type { Broker } from "./broker.ts";
import { CheckedPublisher, type Watcher } from "./checked-publisher.ts";
import type { PublishFault } from "./faults.ts";
import { resolveOptions } from "./options.ts";
import { ManualClock } from "./test-clock.ts";
import { type TestClock, TestTime } from "./test-time.ts";
import { MemoryTransport } from "./transport.ts";

/** A bus on a broker of its own, whose time a test moves. */
export interface TestBus extends Bus {
  /**
   * Resolves when nothing is undelivered, running or runnable at the clock's present; what waits for a later time, such as a retry, may remain.
   * Deliveries that were pulled are in the hands of the test and do not count.
   * Rejects with `HANDLER_TIMEOUT` after `timeout` of real time. @default timeout "5s"
   */
  idle(options?: { timeout?: Duration }): Promise<void>;
  /** What stands in a topic, in the order of its publishing and as handlers get it. */
  published<T extends Topic>(topic: T): readonly MessageOf<T>[];
  /** What a group gave up on; without `group`, what any group did. */
  deadLettered(topic: Topic | string, group?: string): readonly DeadLettered[];
  readonly clock: TestClock;
  /** Lets something go wrong from now on, so many times. */
  inject(fault: Fault, options?: FaultOptions): void;
}

/**
 * `publish-fails`: a publish rejects and stores nothing. `connection-lost`: the connection is cut and comes back; what was not settled comes again.
 * `redeliver`: a message is handed over twice, as after a crash between handling and settling.
 */
export type Fault = "publish-fails" | "connection-lost" | "redeliver";

export interface FaultOptions {
  /** @default every topic */
  readonly topic?: Topic | string | undefined;
  /** @default 1 */
  readonly times?: number | undefined;
  /** What a publish rejects with: as it is if it is a `WaybillError`, else as the cause of a `PUBLISH_REFUSED`. @default a `PublishTimeoutError` */
  readonly error?: Error | undefined;
}

/**
 * Makes a bus for a unit test. It behaves as a bus on a broker does, with partitions, groups, retries and dead letters, and refuses to publish what
 * would not survive the way to a handler. Throws `CONFIG_INVALID` as `createBus` does.
 */
export function createTestBus(options: Omit<BusOptions, "transport"> = {}): TestBus {
  const { app = process.env.WAYBILL_APP, prefix = "" } = options;
  const memory = new MemoryTransport(resolveOptions({ name: "test" }));
  const { broker } = memory;
  const clock = new ManualClock();
  const activity = new Activity();
  const topics = new Map<string, Topic>();
  const published = new Map<string, Message[]>();
  const nameOf = (topic: Topic | string) => prefix + (typeof topic === "string" ? topic : topic.name);
  const watcher: Watcher = {
    topicOf: (name) => topics.get(name),
    stored(topic, message) {
      const list = published.get(topic.name) ?? [];
      published.set(topic.name, list);
      list.push(message);
    },
    answered: (envelopes, outcomes) => activity.answered(envelopes, outcomes),
  };
  const bus = createBusWith({ ...options, transport: watched(memory, watcher) }, { clock }).use(activity.plugin);
  const { publish, publishMany, pull } = bus;
  const publishing = (topic: Topic, result: Promise<unknown>) => {
    topics.set(nameOf(topic), topic);
    activity.publishing(result);
    return result;
  };
  const time = new TestTime(clock, () => activity.busyWith ?? unrest(broker, clock));
  return Object.assign(bus, {
    publish: ((topic: Topic, ...rest: [never]) => publishing(topic, publish.call(bus, topic, ...rest))) as Bus["publish"],
    publishMany: ((topic: Topic, ...rest: [never]) =>
      publishing(topic, publishMany.call(bus, topic, ...rest))) as Bus["publishMany"],
    pull: ((topic, pulling) => {
      activity.pulls(topic.name, pulling?.group ?? app);
      return pull.call(bus, topic, pulling);
    }) as Bus["pull"],
    clock: time,
    idle: (idle?: { timeout?: Duration }) => time.idle(idle),
    published: <T extends Topic>(topic: T) => [...(published.get(topic.name) ?? [])] as MessageOf<T>[],
    deadLettered: (topic: Topic | string, group?: string) => broker.deadLetters(nameOf(topic), group).map(describeDeadLetter),
    inject: (fault: Fault, { topic, ...rest }: FaultOptions = {}) =>
      inject(broker, fault, { ...rest, topic: topic === undefined ? undefined : nameOf(topic) }),
  });
}

/** The transport, with what is published checked and reported. */
function watched(memory: MemoryTransport, watcher: Watcher): Transport {
  const { name, capabilities } = memory;
  return {
    name,
    capabilities,
    connect(context) {
      const connection = memory.connect(context);
      const publisher = connection.publisher.bind(connection);
      return Object.assign(connection, {
        publisher: (purpose: "publish" | "copy") => new CheckedPublisher(publisher(purpose), watcher),
      });
    },
  };
}

function unrest(broker: Broker, clock: ManualClock): string | undefined {
  if (!broker.turns.quiet) return "the broker is at work";
  return clock.next !== undefined && clock.next <= clock.now() ? "timers are due" : undefined;
}

function inject(broker: Broker, fault: Fault, { topic, times = 1, error }: FaultOptions & { topic: string | undefined }): void {
  if (fault === "redeliver") broker.faults.redeliver({ topic, times });
  else if (fault === "publish-fails") broker.faults.failPublishes({ topic, times, outcome: failure(topic, error) });
  else for (let i = 0; i < times; i++) broker.turns.next(() => broker.cut());
}

function failure(topic: string | undefined, error: Error | undefined): PublishFault["outcome"] {
  const where = topic === undefined ? "" : ` to topic "${topic}"`;
  if (error === undefined) {
    return {
      stored: "unknown",
      retry: false,
      error: new PublishTimeoutError("unknown", `The test let the publish${where} fail.`, { topic }),
    };
  }
  if (error instanceof WaybillError) return { stored: false, retry: false, error };
  const refused = new WaybillError("WAYBILL_PUBLISH_REFUSED", `The test let the publish${where} fail: ${error.message}.`, {
    topic,
    cause: error,
  });
  return { stored: false, retry: false, error: refused };
}
