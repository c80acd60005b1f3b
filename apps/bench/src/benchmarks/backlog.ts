import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Benchmark, Context } from "../benchmark.ts";
import { type Figure, figureOf, type Pair, type Target } from "../figure.ts";
import { Stage } from "../stage.ts";
import type { Resident } from "./backlog-child.ts";

const PARTITIONS = 4;
const KEYS = 1_000;
const MIB = 1_048_576;
const LIMIT = 100;

const run = promisify(execFile);
const child = new URL("./backlog-child.ts", import.meta.url).pathname;

const target: Target = { text: `ours - theirs <= ${LIMIT} MiB`, met: ({ ours, theirs }) => ours - theirs <= LIMIT };

function backlog(broker: "kafka" | "rabbitmq"): Benchmark {
  const name = `backlog.${broker}`;
  return {
    name,
    suite: "backlog",
    broker,
    about: "resident memory of a process that is slow to handle a long backlog, against the same process before it subscribes",
    defaults: { messages: 1_000_000, pairs: 1 },
    run: async (context) => [await measure(name, context)],
  };
}

async function measure(name: string, { url, messages, pairs }: Context): Promise<Figure> {
  await using stage = new Stage(url);
  const topic = await stage.topic("backlog", PARTITIONS, ["slow"]);
  await stage.fill(topic, messages, KEYS);
  const measured: Pair[] = [];
  for (let round = 0; round < pairs; round++) {
    const args = ["--conditions=@waybill/source", child, url, stage.prefix, String(messages)];
    const { stdout } = await run(process.execPath, args);
    const { idle, most, handled } = JSON.parse(stdout) as Resident;
    if (handled === 0) throw new Error("nothing was handled: the memory says nothing of a backlog");
    measured.push({ ours: most / MIB, theirs: idle / MIB });
  }
  const note = `ours: the most over 10 s with ${messages} messages waiting; theirs: the same process when idle`;
  return figureOf({ name, unit: "MiB", target, note }, measured);
}

export const kafkaBacklog = backlog("kafka");
export const rabbitmqBacklog = backlog("rabbitmq");
