import { BrokerUnavailableError, type Cluster, startKafka, startRabbitmq } from "@waybill/tools";
import { expect, inject, type TestContext, test } from "vitest";
import type { Row } from "../src/board.ts";
import { startDemo, summaryOf } from "./child.ts";

const BROKERS = { kafka: () => startKafka(), rabbitmq: anyRabbitmq } as const;

const FLIGHTS = 10_000;

for (const broker of ["kafka", "rabbitmq"] as const) {
  test(`${broker} killed in the middle of the demo and started again: it ends with the right table`, {
    timeout: 180_000,
  }, async (context) => {
    await using cluster = await startOwn(broker, context);
    const args = ["--transport", cluster.url, "--limit", String(FLIGHTS), "--rate", "2000", "--json", "--no-progress"];
    const demo = startDemo(args, context.signal);
    const api = await demo.api;
    // Not before some seconds: RabbitMQ 3.10 forgets the members of a quorum queue that was declared in the second before it is killed.
    await expect.poll(() => shown(api), { timeout: 60_000 }).toBeGreaterThan(FLIGHTS / 2);

    const [node] = cluster.nodes;
    await node?.kill("SIGKILL");
    const before = await shown(api);
    await node?.start();

    const summary = summaryOf(await demo.ended);
    expect(before).toBeLessThan(FLIGHTS);
    expect(summary.connectionsLost).toBeGreaterThan(0);
    expect(summary.claims.flatMap(({ problems }) => problems)).toEqual([]);
    expect(summary).toMatchObject({ ok: true, flights: FLIGHTS });
  });
}

/** Flights on the board of a running demo. */
async function shown(api: string): Promise<number> {
  const rows = (await (await fetch(`${api}/board`)).json()) as Row[];
  return rows.reduce((sum, { flights }) => sum + flights, 0);
}

/** A broker of this test's own, for nobody else would like it killed. */
async function startOwn(broker: "kafka" | "rabbitmq", { skip }: TestContext): Promise<Cluster> {
  const required = process.env.WAYBILL_REQUIRE_BROKERS === "1";
  const { skip: unwanted } = inject(broker);
  if (unwanted !== undefined && !required) skip(unwanted);
  try {
    return await BROKERS[broker]();
  } catch (error) {
    if (error instanceof BrokerUnavailableError && !required) skip(error.message);
    throw error;
  }
}

async function anyRabbitmq(): Promise<Cluster> {
  try {
    return await startRabbitmq();
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    return startRabbitmq({ version: "4" });
  }
}
