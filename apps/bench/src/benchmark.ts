import type { Figure } from "./figure.ts";

/** Which broker a benchmark needs; `none` drives the engine by itself. */
export type Broker = "kafka" | "rabbitmq" | "memory" | "none";

/** What `npm run bench` calls together. */
type Suite = "dispatch" | "publish" | "consume" | "backlog";

/** How one benchmark is run. */
export interface Context {
  /** Of the broker; empty where there is none. */
  readonly url: string;
  /** What a side handles in one go. */
  readonly messages: number;
  readonly pairs: number;
}

/** One thing to measure. */
export interface Benchmark {
  readonly name: string;
  readonly suite: Suite;
  readonly broker: Broker;
  /** One line for the list. */
  readonly about: string;
  /** Where the command line says nothing. */
  readonly defaults: Pick<Context, "messages" | "pairs">;
  /** Rejects when one side lost, repeated or reordered what it must not: such a figure would be worth nothing. */
  run(context: Context): Promise<readonly Figure[]>;
}
