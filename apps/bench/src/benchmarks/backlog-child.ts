/** The process whose memory the backlog benchmark measures: `<url> <prefix> <messages>`. Prints one {@link Resident} as JSON. */
import { setTimeout as sleep } from "node:timers/promises";
import { openBus, workTopic } from "../stage.ts";

/** Resident set sizes in bytes. */
export interface Resident {
  /** Connected, before it subscribes. */
  readonly idle: number;
  /** The most while the backlog waits. */
  readonly most: number;
  /** Messages that were handled meanwhile. */
  readonly handled: number;
}

/** How long the memory is watched once the first message is handled, and how often it is looked at, in milliseconds. */
const WATCH = { duration: 10_000, interval: 50 };
const HANDLING = 100;

const [url = "", prefix = "", messages = ""] = process.argv.slice(2);

await using bus = openBus(url, prefix);
const topic = workTopic("backlog", 4, ["slow"]);
await bus.ready({ topics: [topic], timeout: "30s" });
await sleep(1_000);
const idle = process.memoryUsage.rss();

let handled = 0;
const first = Promise.withResolvers<void>();
await using _subscription = await bus.subscribe(topic, { group: "slow" }, async () => {
  handled++;
  first.resolve();
  await sleep(HANDLING);
});
await first.promise;
let most = 0;
const end = Date.now() + WATCH.duration;
while (Date.now() < end && handled < Number(messages)) {
  most = Math.max(most, process.memoryUsage.rss());
  await sleep(WATCH.interval);
}
console.log(JSON.stringify({ idle, most, handled } satisfies Resident));
