import type { RabbitmqOptions, RabbitmqUser } from "./options.ts";

/** Where one node listens and what it reads. */
export interface RabbitmqNodeSettings {
  readonly port: number;
  /** Of the encrypted listener. */
  readonly tlsPort: number;
  /** Names of all nodes of its cluster. */
  readonly peers: readonly string[];
  /** A file made by {@link renderDefinitions}. */
  readonly definitionsFile: string;
}

/** The rabbitmq.conf of a node. */
export function renderRabbitmqConfig(node: RabbitmqNodeSettings, options: RabbitmqOptions = {}): string {
  const settings: Record<string, string | number> = {
    "listeners.tcp.1": `127.0.0.1:${node.port}`,
    "log.console.level": "info",
    ...(options.users && { load_definitions: node.definitionsFile }),
    ...clusterSettings(node.peers),
    ...tlsSettings(node.tlsPort, options),
    ...options.config,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join("");
}

/** The users, and what a node that loads definitions no longer makes by itself: the virtual host `/` and guest. */
export function renderDefinitions(users: NonNullable<RabbitmqOptions["users"]>): string {
  const all: [string, RabbitmqUser][] = [...Object.entries(users), ["guest", { password: "guest" }]];
  return JSON.stringify({
    vhosts: [{ name: "/" }],
    users: all.map(([name, { password }]) => ({ name, password, tags: name === "guest" ? "administrator" : "" })),
    permissions: all.map(([user, { configure = ".*", write = ".*", read = ".*" }]) => ({
      user,
      vhost: "/",
      configure,
      write,
      read,
    })),
  });
}

function clusterSettings(peers: readonly string[]): Record<string, string> {
  if (peers.length < 2) return {};
  const nodes = peers.map((peer, index) => [`cluster_formation.classic_config.nodes.${index + 1}`, peer]);
  return { "cluster_formation.peer_discovery_backend": "classic_config", ...Object.fromEntries(nodes) };
}

function tlsSettings(port: number, { tls }: RabbitmqOptions): Record<string, string> {
  if (!tls) return {};
  return {
    "listeners.ssl.1": `127.0.0.1:${port}`,
    "ssl_options.cacertfile": tls.certificates.ca.certFile,
    "ssl_options.certfile": tls.certificates.server.certFile,
    "ssl_options.keyfile": tls.certificates.server.keyFile,
    "ssl_options.verify": tls.clientAuth ? "verify_peer" : "verify_none",
    "ssl_options.fail_if_no_peer_cert": String(tls.clientAuth ?? false),
  };
}
