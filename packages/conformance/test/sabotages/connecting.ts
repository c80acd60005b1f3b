import { type Connection, WaybillError } from "@waybill/core/transport";
import { publishing } from "../tamper.ts";
import { never, refusal, type Sabotage } from "./sabotage.ts";

/** The connection, and what can be asked of it. */
export const connectingSabotages: readonly Sabotage[] = [
  {
    name: "gives up when the broker is down",
    tamper: () => (connection) =>
      publishing(
        (next) => async (to, batch, options) =>
          connection.health().status === "down" ? batch.map(() => refusal("the broker is down")) : next(to, batch, options),
      )(connection),
    caughtBy: { "a broker that goes away": /the broker is down/ },
  },
  {
    name: "gives up the first connection when the broker is down",
    tamper: () => (connection) => ({
      async ready(options) {
        if (connection.health().status === "down") throw new WaybillError("WAYBILL_CONNECTION_FAILED", "the broker is down");
        await connection.ready(options);
      },
    }),
    caughtBy: { "a first connection attempted": /while the broker was down/ },
  },
  {
    name: "tries refused credentials for ever",
    tamper: () => () => ({ ready: never, provision: never }),
    caughtBy: { "wrong credentials reject": /AUTHENTICATION_FAILED/ },
  },
  {
    name: "does not close",
    tamper: () => () => ({ close: never }),
    caughtBy: { "close may be called again": /close/ },
  },
  {
    name: "always says that it is down",
    tamper: () => () => ({ health: () => ({ status: "down", problems: ["so it seems"] }) }),
    caughtBy: { "a bus that works is up": /so it seems/ },
  },
  {
    name: "keeps what was deleted",
    tamper: () => (connection) => ({ admin: { ...admin(connection), deleteTopic: async () => undefined } }),
    caughtBy: { "a topic that was deleted": /partitions/ },
  },
  {
    name: "lists no topics",
    tamper: () => (connection) => ({ admin: { ...admin(connection), topics: async () => [] } }),
    caughtBy: { "topics are listed with": /partitions/ },
  },
  {
    name: "creates what it was asked to check",
    tamper: () => (connection) => ({ provision: (topic, _, options) => connection.provision(topic, "create", options) }),
    caughtBy: { 'with provision: "check"': /Missing expected rejection/ },
  },
];

function admin({ admin: real }: Pick<Connection, "admin">) {
  return {
    topics: () => real.topics(),
    groups: (topic: string) => real.groups(topic),
    deleteTopic: (topic: string) => real.deleteTopic(topic),
    deadLetters: (topic: string, group: string) => real.deadLetters(topic, group),
  };
}
