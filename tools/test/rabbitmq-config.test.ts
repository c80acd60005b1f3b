import { expect, test } from "vitest";
import { renderDefinitions, renderRabbitmqConfig } from "../src/rabbitmq/config.ts";

const node = { port: 20_001, tlsPort: 21_001, peers: ["one@localhost"], definitionsFile: "/d.json" };

test("a single node listens on loopback alone and looks for no peers", () => {
  expect(renderRabbitmqConfig(node)).toBe("listeners.tcp.1 = 127.0.0.1:20001\nlog.console.level = info\n");
});

test("a node of three is told the names of all", () => {
  const config = renderRabbitmqConfig({ ...node, peers: ["one@localhost", "two@localhost", "three@localhost"] });
  expect(config).toContain("cluster_formation.peer_discovery_backend = classic_config\n");
  expect(config).toContain("cluster_formation.classic_config.nodes.3 = three@localhost\n");
});

test("a setting of the caller takes the place of ours", () => {
  expect(renderRabbitmqConfig(node, { config: { "log.console.level": "debug" } })).toContain("log.console.level = debug\n");
});

test("users come with the virtual host and the guest that a node with definitions no longer makes", () => {
  const definitions = JSON.parse(renderDefinitions({ reader: { password: "r", configure: "" } }));
  expect(definitions.vhosts).toEqual([{ name: "/" }]);
  expect(definitions.users.map((user: { name: string }) => user.name)).toEqual(["reader", "guest"]);
  expect(definitions.permissions).toEqual([
    { user: "reader", vhost: "/", configure: "", write: ".*", read: ".*" },
    { user: "guest", vhost: "/", configure: ".*", write: ".*", read: ".*" },
  ]);
});
