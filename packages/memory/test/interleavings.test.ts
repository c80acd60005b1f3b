import { setImmediate as turn } from "node:timers/promises";
import type { Connection, ConsumerSink, Incoming, Source, TransportConsumer } from "@waybill/core/transport";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Like } from "../src/profiles.ts";
import { ManualClock } from "../src/test-clock.ts";
import { connect, join, publish, spec, transport } from "./driver.ts";

const PARTITIONS = 3;
const SESSION = 50;

/** What all members of the group saw, checked as it happens. */
class Journal {
  readonly owners = new Map<string, Model>();
  /** Last text settled, by source: nothing in front of it may come again. */
  readonly settled = new Set<string>();
  readonly delivered = new Set<string>();
  readonly problems: string[] = [];
}

/** A member that settles when it is told to, in any order of sources. */
class Model implements ConsumerSink {
  readonly connection: Connection;
  readonly held = new Map<Source, { token: number; text: string }[]>();
  consumer: TransportConsumer | undefined;
  severed = false;
  readonly #journal: Journal;
  readonly #last = new Map<Source, number>();

  constructor(connection: Connection, journal: Journal) {
    this.connection = connection;
    this.#journal = journal;
  }

  gained(source: Source): void {
    const owner = this.#journal.owners.get(source.id);
    if (owner !== undefined && !owner.severed) this.#journal.problems.push(`${source.id} has two owners`);
    this.#journal.owners.set(source.id, this);
    this.held.set(source, []);
  }

  batch(source: Source, messages: readonly Incoming[]): void {
    for (const { token, body } of messages) {
      const text = String(body);
      const number = Number(text.split("#")[1]);
      if (this.severed) this.#journal.problems.push(`${text} came to a severed member`);
      if (number <= (this.#last.get(source) ?? -1)) this.#journal.problems.push(`${text} came out of order`);
      if (this.#journal.settled.has(text)) this.#journal.problems.push(`${text} came again although it was settled`);
      this.#last.set(source, number);
      this.#journal.delivered.add(text);
      this.held.get(source)?.push({ token, text });
    }
  }

  /** Settles up to `count` messages of each source, and knows only when the broker has answered. */
  async settle(count: number): Promise<void> {
    await Promise.all(
      [...this.held].map(async ([source, held]) => {
        const done = held.splice(0, count);
        if (done.length === 0) return;
        const answer = await source.settle({ upTo: done.at(-1)?.token, singles: [] });
        if (answer === "ok") for (const { text } of done) this.#journal.settled.add(text);
      }),
    );
  }

  async losing(sources: readonly Source[]): Promise<void> {
    await turn();
    for (const source of sources) this.held.get(source)?.splice(1);
    await this.settle(1);
  }

  /** Its handlers run on, so it will try to settle what it held. */
  lost(sources: readonly Source[]): void {
    for (const source of sources) {
      if (this.#journal.owners.get(source.id) === this) this.#journal.owners.delete(source.id);
    }
  }

  failed(error: Error): void {
    this.#journal.problems.push(error.message);
  }
}

const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      partition: fc.nat(PARTITIONS - 1),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("settle" as const), member: fc.nat(5), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("join" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("leave" as const, "sever" as const), member: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const), member: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 2 * SESSION }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
);

const likes: readonly (Like | undefined)[] = [undefined, "kafka", "rabbitmq"];

test.each(likes)(
  "like %s: whatever members and publishers do, nothing unsettled is lost, no partition has two owners, and order holds",
  async (like) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60, size: "max" }), async (acts) => {
        const clock = new ManualClock();
        const shared = transport({ like, sessionTimeout: SESSION });
        const topic = spec({ partitions: PARTITIONS, groups: ["g"] });
        const publisher = connect(shared, { clock });
        await publisher.provision(topic, "create", {});
        const journal = new Journal();
        const members: Model[] = [];
        const published: string[] = [];
        const next = (partition: number) => `${partition}#${published.filter((text) => text.startsWith(`${partition}#`)).length}`;
        const enter = async () => {
          const member = new Model(connect(shared, { clock }), journal);
          member.consumer = await join(member.connection, member, {
            topic,
            window: { messages: 7, bytes: 10_000 },
            handover: 20,
          });
          members.push(member);
        };
        const running: Promise<unknown>[] = [];

        await enter();
        for (const step of acts) {
          const member = "member" in step ? members[step.member % Math.max(1, members.length)] : undefined;
          if (step.do === "publish") {
            for (let i = 0; i < step.count; i++) {
              const text = next(step.partition);
              published.push(text);
              running.push(publish(publisher, topic, [text], step.partition));
            }
          } else if (step.do === "join") await enter();
          else if (step.do === "settle" && member !== undefined) running.push(member.settle(step.count));
          else if (step.do === "time") clock.moveTo(clock.now() + step.ms);
          else if (step.do === "turn") await turn();
          else if (step.do === "cut") {
            shared.broker.stop();
            shared.broker.start();
          } else if (step.do === "leave" && member !== undefined) {
            running.push(member.consumer?.close({ deadline: clock.now() }) ?? Promise.resolve());
          } else if (step.do === "sever" && member !== undefined) {
            member.severed = true;
            member.connection.sever();
          } else if (step.do === "pause") for (const source of member?.held.keys() ?? []) source.pause();
          else if (step.do === "resume") for (const source of member?.held.keys() ?? []) source.resume();
        }

        // In the end somebody is there to take the rest, once what vanished has been missed.
        await enter();
        for (let i = 0; i < 1_000 && journal.settled.size < published.length; i++) {
          clock.moveTo(clock.now() + SESSION);
          await turn();
          for (const member of members) {
            for (const source of member.held.keys()) source.resume();
            running.push(member.settle(10));
          }
        }
        await Promise.all(running);
        expect(journal.problems).toEqual([]);
        expect([...journal.settled].sort()).toEqual([...published].sort());
      }),
      { numRuns: 500 },
    );
  },
);
