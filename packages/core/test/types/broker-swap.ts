import { readFileSync } from "node:fs";
import { createBus, type Transport } from "@waybill/core";
import { kafka } from "@waybill/kafka";
import { rabbitmq } from "@waybill/rabbitmq";
import { orders } from "./contracts.ts";

function need(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
const tls = () => ({ ca: readFileSync(need("CA_FILE"), "utf8") });
const credentials = () => ({ username: need("SASL_USER"), password: need("SASL_PASSWORD") });
const hosts = () => need("BROKERS").split(",");

const transports: Record<string, () => Transport> = {
  kafka: () => kafka({ brokers: hosts(), tls: tls(), sasl: { mechanism: "scram-sha-512", ...credentials() } }),
  rabbitmq: () => rabbitmq({ hosts: hosts(), vhost: "/shop", tls: tls(), ...credentials() }),
};
const make = transports[need("BROKER")];
if (!make) throw new Error("BROKER must be kafka or rabbitmq");

const prefix = `${need("STAGE")}.`;
await using bus = createBus({ app: "billing", prefix, transport: make(), provision: "check", logger: console });
await bus.ready({ topics: [orders], timeout: "1m" });
await bus.subscribe(
  orders,
  { needs: ["replay"] },
  {
    "order.placed": async ({ payload, topic }) => {
      topic satisfies string;
      payload.total satisfies number;
    },
  },
);
await bus.publish(orders, "order.shipped", { orderId: "o", carrier: "ups" });

// The same from the environment alone: WAYBILL_TRANSPORT=amqps://user:pass@a,b/shop WAYBILL_APP=billing
export const plain = createBus();
export const byUrl = createBus({ app: "x", transport: process.env.WAYBILL_TRANSPORT });
