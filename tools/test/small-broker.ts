import { join } from "node:path";
import { type Cluster, type ClusterOptions, type ClusterPlan, startCluster } from "../src/cluster.ts";
import { accepts, freePorts } from "../src/system/ports.ts";

/** Brokers take seconds to start; where only what stands around them is tested, a server of one line takes their place. */
export function startSmallBroker(options: ClusterOptions = {}, script = serve): Promise<Cluster> {
  return startCluster({ kind: "kafka", version: "0.0.0" }, options, async (dir): Promise<ClusterPlan> => {
    const [port = 0] = await freePorts(1);
    const url = `test://127.0.0.1:${port}`;
    const command = { file: process.execPath, args: ["-e", script(port)], logFile: join(dir, "node-1.log") };
    const node = { ...command, name: "node-1", port, url, ready: () => accepts(port) };
    return { url, nodes: [node], formed: async () => true };
  });
}

function serve(port: number): string {
  return `require("net").createServer((socket) => socket.end()).listen(${port}, "127.0.0.1")`;
}

// Run as a program it starts one with the options it is given, says so, and stays.
if (import.meta.main) {
  await startSmallBroker(JSON.parse(process.argv[2] ?? "{}") as ClusterOptions);
  process.stdout.write("started\n");
  setInterval(() => undefined, 1_000);
}
