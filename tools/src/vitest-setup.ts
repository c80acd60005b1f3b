import type { TestProject } from "vitest/node";
import { type FoundBroker, findBroker, type MissingBroker, type TestBroker } from "./find.ts";
import { isRabbitmq4 } from "./rabbitmq/server.ts";

/** What a test learns of a broker by `inject`: where it is, or why tests of it are skipped. */
export type ProvidedBroker =
  | { readonly url: string; readonly skip?: undefined }
  | { readonly url?: undefined; readonly skip: string };

declare module "vitest" {
  interface ProvidedContext {
    kafka: ProvidedBroker;
    rabbitmq: ProvidedBroker;
    rabbitmq4: ProvidedBroker;
  }
}

const WANTED: Readonly<Record<string, readonly TestBroker[]>> = {
  none: [],
  kafka: ["kafka"],
  rabbitmq: ["rabbitmq", "rabbitmq4"],
  all: ["kafka", "rabbitmq", "rabbitmq4"],
};

/**
 * Finds or starts the brokers once for a whole run, says to the tests where they are, and stops what it started.
 *
 * `WAYBILL_TEST_BROKERS` is none, kafka, rabbitmq or all (the default). With `WAYBILL_REQUIRE_BROKERS=1` a Kafka or RabbitMQ
 * that cannot be had is an error; a RabbitMQ 4 beside an older one is always optional, because not every system can build it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const choice = process.env.WAYBILL_TEST_BROKERS ?? "all";
  const wanted = WANTED[choice];
  if (!wanted) throw new Error(`WAYBILL_TEST_BROKERS is "${choice}"; it takes ${Object.keys(WANTED).join(", ")}`);
  const found: FoundBroker[] = [];
  const stopAll = async (): Promise<void> => void (await Promise.all(found.map((broker) => broker.stop())));

  const look = async (broker: TestBroker): Promise<FoundBroker | MissingBroker> => {
    if (!wanted.includes(broker)) return { reason: `WAYBILL_TEST_BROKERS is ${choice}` };
    const answer = await findBroker(broker);
    if ("url" in answer) found.push(answer);
    else if (process.env.WAYBILL_REQUIRE_BROKERS === "1" && broker !== "rabbitmq4") throw new Error(answer.reason);
    return answer;
  };
  const provide = (broker: TestBroker, answer: FoundBroker | MissingBroker): void => {
    const version = "url" in answer && answer.version ? ` ${answer.version}` : "";
    if (wanted.includes(broker)) say("url" in answer ? `${broker}${version}: ${answer.source}` : answer.reason);
    project.provide(broker, "url" in answer ? { url: answer.url } : { skip: answer.reason });
  };
  const rabbits = async (): Promise<void> => {
    const first = await look("rabbitmq");
    provide("rabbitmq", first);
    // A second 4.x would show nothing that the first does not.
    const same = "url" in first && isRabbitmq4(first.version) && !process.env.WAYBILL_TEST_AMQP4;
    provide("rabbitmq4", same ? { reason: "the RabbitMQ under test is a 4.x already" } : await look("rabbitmq4"));
  };

  const outcomes = await Promise.allSettled([look("kafka").then((answer) => provide("kafka", answer)), rabbits()]);
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure) {
    await stopAll();
    throw failure.reason;
  }
  return stopAll;
}

function say(line: string): void {
  process.stderr.write(`[brokers] ${line}\n`);
}
