import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Cluster, type NodePlan, type ProcessPlan, startCluster } from "../cluster.ts";
import { type Log, logToStderr } from "../system/log.ts";
import { accepts, freePorts } from "../system/ports.ts";
import { run } from "../system/process.ts";
import { askRabbitmq } from "./client.ts";
import { renderDefinitions, renderRabbitmqConfig } from "./config.ts";
import type { RabbitmqOptions } from "./options.ts";
import { type RabbitmqServer, rabbitmqServer } from "./server.ts";

/**
 * Starts RabbitMQ on free loopback ports, ready in 6 to 10 s, with an Erlang port mapper of its own.
 * Rejects when no such server can be had, and with the end of the log when a node does not start.
 */
export async function startRabbitmq(options: RabbitmqOptions = {}, log: Log = logToStderr): Promise<Cluster> {
  const server = await rabbitmqServer(options.version ?? "installed", log);
  return startCluster({ kind: "rabbitmq", version: server.version }, options, async (dir) => {
    const names = Array.from({ length: options.nodes ?? 1 }, (_, index) => `rabbitmq-${index + 1}`);
    const [epmdPort = 0, ...ports] = await freePorts(1 + 3 * names.length);
    const environment = erlangEnvironment(server, writeShared(dir, options), epmdPort);
    const peers = names.map((name) => `${name}@localhost`);
    const nodes = names.map((name, index): NodePlan => {
      const [port = 0, tlsPort = 0, distribution = 0] = ports.slice(3 * index);
      return planNode({ name, port, tlsPort, distribution, peers }, dir, server, environment, options);
    });
    return {
      url: urlOfAll(nodes),
      nodes,
      helper: epmd(dir, epmdPort, environment),
      formed: async () => peers.length === 1 || (await clusterFormed(server, environment, peers)),
    };
  });
}

/** The first node's URL with the hosts of all. */
function urlOfAll(nodes: readonly NodePlan[]): string {
  const [first, ...others] = nodes.map((node) => node.url);
  return [first, ...others.map((url) => new URL(url).host)].join(",");
}

interface NodePlace {
  readonly name: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly distribution: number;
  readonly peers: readonly string[];
}

function planNode(
  place: NodePlace,
  dir: string,
  server: RabbitmqServer,
  environment: Record<string, string>,
  options: RabbitmqOptions,
): NodePlan {
  const own = join(dir, place.name);
  mkdirSync(own, { recursive: true });
  const config = join(own, "rabbitmq.conf");
  writeFileSync(config, renderRabbitmqConfig({ ...place, definitionsFile: join(dir, "definitions.json") }, options));
  writeFileSync(join(own, "enabled_plugins"), "[].\n");
  const plain = `amqp://guest:guest@127.0.0.1:${place.port}`;
  return {
    name: place.name,
    port: options.tls ? place.tlsPort : place.port,
    url: options.tls ? `amqps://guest:guest@localhost:${place.tlsPort}` : plain,
    file: join(server.sbin, "rabbitmq-server"),
    args: [],
    env: {
      ...environment,
      RABBITMQ_NODENAME: `${place.name}@localhost`,
      RABBITMQ_DIST_PORT: String(place.distribution),
      RABBITMQ_MNESIA_BASE: join(own, "data"),
      RABBITMQ_LOG_BASE: own,
      RABBITMQ_LOGS: "-",
      RABBITMQ_ENABLED_PLUGINS_FILE: join(own, "enabled_plugins"),
      RABBITMQ_PID_FILE: join(own, "pid"),
      RABBITMQ_CONFIG_FILE: config,
      RABBITMQ_ADVANCED_CONFIG_FILE: join(own, "advanced.config"),
      // Makes the script become the server instead of waiting for it, so that the process we know is the one to kill.
      RUNNING_UNDER_SYSTEMD: "true",
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    },
    logFile: join(dir, `${place.name}.log`),
    // The encrypted listener opens after the plain one.
    ready: async () => (await accepts(options.tls ? place.tlsPort : place.port)) && (await askRabbitmq(plain)) !== undefined,
  };
}

/** Writes what all nodes share; gives the home directory, in which Erlang looks for its cookie. */
function writeShared(dir: string, options: RabbitmqOptions): string {
  const home = join(dir, "home");
  const cookie = join(home, ".erlang.cookie");
  mkdirSync(home, { recursive: true });
  if (!existsSync(cookie)) writeFileSync(cookie, "waybill", { mode: 0o400 });
  if (options.users) writeFileSync(join(dir, "definitions.json"), renderDefinitions(options.users));
  return home;
}

function erlangEnvironment(server: RabbitmqServer, home: string, epmdPort: number): Record<string, string> {
  const path = process.env.PATH ?? "";
  return {
    HOME: home,
    PATH: server.erlangBin ? `${server.erlangBin}${delimiter}${path}` : path,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    // The machine's own RabbitMQ may be configured here; a file that does not exist keeps it out.
    RABBITMQ_CONF_ENV_FILE: join(home, "rabbitmq-env.conf"),
  };
}

/** Erlang's port mapper. Nodes would start one by themselves, but that one would outlive them. */
function epmd(dir: string, port: number, env: Record<string, string>): ProcessPlan {
  return { name: "epmd", file: "epmd", args: [], env, logFile: join(dir, "epmd.log"), ready: () => accepts(port) };
}

async function clusterFormed(server: RabbitmqServer, env: Record<string, string>, peers: readonly string[]): Promise<boolean> {
  const wait = ["await_online_nodes", String(peers.length), "--timeout", "60"];
  await run(join(server.sbin, "rabbitmqctl"), ["-q", "-n", peers[0] ?? "", ...wait], { env });
  return true;
}
