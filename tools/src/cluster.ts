import { guard } from "./guard.ts";
import { type BrokerKind, type ClusterRecord, createRecord, destroy, saveRecord, sweep } from "./record.ts";
import { isRunning, type ProcessId, sendSignal } from "./system/identity.ts";
import { type Command, startDetached, tail } from "./system/process.ts";
import { until } from "./system/wait.ts";

/** One broker process. */
export interface BrokerNode {
  /** Of 127.0.0.1, for clients. */
  readonly port: number;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Ends the process and waits until it is gone, 30 s at most; data and port stay for `start`. @default "SIGKILL" */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process where it is: its connections stay open and nothing answers. */
  freeze(): void;
  /** Lets a frozen process go on. */
  resume(): void;
  /** Starts the node again on the same port and data; resolves when it answers clients. */
  start(): Promise<void>;
}

/** Brokers that run for this process, and end with it. */
export interface Cluster extends AsyncDisposable {
  readonly kind: BrokerKind;
  /** As the broker's own release is numbered: "4.4.0". */
  readonly version: string;
  /** One URL that names all nodes. */
  readonly url: string;
  /** One URL a node. */
  readonly urls: readonly string[];
  readonly nodes: readonly BrokerNode[];
  /** Ends every process, and removes the data unless a `dir` was given. Idempotent. */
  stop(): Promise<void>;
}

/** What every broker is started with. */
export interface ClusterOptions {
  /** @default 1 */
  readonly nodes?: 1 | 3;
  /** Keeps configuration, logs and data here after `stop`; without it they stand in the cache directory and go. */
  readonly dir?: string;
  /** Settings added to the broker's own configuration, or put in place of ours. */
  readonly config?: Readonly<Record<string, string>>;
  /** Lets the brokers run on after this process; they are then ended through their record. @default false */
  readonly outlive?: boolean;
}

/** How one process of a cluster is run. */
export interface ProcessPlan extends Command {
  readonly name: string;
  /** Whether it answers; called until it does. */
  ready(): Promise<boolean>;
}

/** How one broker node is run. */
export interface NodePlan extends ProcessPlan {
  readonly port: number;
  readonly url: string;
}

/** How a whole cluster is run. */
export interface ClusterPlan {
  readonly url: string;
  readonly nodes: readonly NodePlan[];
  /** Runs before the nodes, for all of them. */
  readonly helper?: ProcessPlan;
  /** Whether the nodes have found each other; called until they have. */
  formed(): Promise<boolean>;
}

const START_TIMEOUT = 90_000;

/**
 * Starts the brokers that `plan` prepares in the directory it is given, records them, and resolves when clients can use them.
 * Whatever fails, every process ends and the rejection has the end of its log.
 */
export async function startCluster(
  init: { readonly kind: BrokerKind; readonly version: string },
  options: ClusterOptions,
  plan: (dir: string) => ClusterPlan | Promise<ClusterPlan>,
): Promise<Cluster> {
  await sweep();
  let record = createRecord({ ...init, dir: options.dir });
  const disarm = guard(record.id);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= destroy(record).finally(disarm));
  const save = (change: Partial<ClusterRecord>): void => {
    record = { ...record, ...change };
    saveRecord(record);
  };
  const spawn = async (process: ProcessPlan): Promise<ProcessId> => {
    if (stopping) throw new Error(`${record.id} has been stopped`);
    const id = await startDetached(process);
    save({ processes: { ...record.processes, [process.name]: id } });
    return id;
  };
  try {
    const { url, nodes: plans, helper, formed } = await plan(record.dir);
    const urls = plans.map((node) => node.url);
    save({ url, urls });
    if (helper) await answers(helper, await spawn(helper));
    // All are spawned, and so recorded, before the first is waited for: whatever fails then, `stop` knows every process.
    const started: [NodePlan, ProcessId][] = [];
    for (const node of plans) started.push([node, await spawn(node)]);
    await Promise.all(started.map(([node, id]) => answers(node, id)));
    await until({ what: `the nodes of ${record.id} to find each other`, timeout: START_TIMEOUT, interval: 100 }, formed);
    if (options.outlive) {
      save({ owner: null });
      disarm();
    }
    const nodes = started.map(([node, id]) => createNode(node, id, spawn));
    return { ...init, url, urls, nodes, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createNode(plan: NodePlan, first: ProcessId, spawn: (plan: ProcessPlan) => Promise<ProcessId>): BrokerNode {
  let current = first;
  return {
    port: plan.port,
    get pid() {
      return current.pid;
    },
    async kill(signal = "SIGKILL") {
      sendSignal(current, signal);
      await until({ what: `${plan.name} to end after ${signal}`, timeout: 30_000, interval: 10 }, () => !isRunning(current));
    },
    freeze: () => void sendSignal(current, "SIGSTOP"),
    resume: () => void sendSignal(current, "SIGCONT"),
    async start() {
      if (isRunning(current)) return;
      current = await spawn(plan);
      await answers(plan, current);
    },
  };
}

async function answers(plan: ProcessPlan, id: ProcessId): Promise<void> {
  try {
    await until({ what: `${plan.name} to answer`, timeout: START_TIMEOUT }, () => {
      if (!isRunning(id)) throw new Error(`${plan.name} ended while starting`);
      return plan.ready();
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}; the end of its log:\n${tail(plan.logFile)}`, { cause: error });
  }
}
