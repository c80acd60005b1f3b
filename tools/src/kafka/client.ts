import { readFileSync } from "node:fs";
import { type Admin, Kafka, type KafkaConfig, logLevel } from "kafkajs";
import { quietIdleTimer } from "./kafkajs-timer.ts";
import { type KafkaOptions, mechanismsOf } from "./options.ts";

quietIdleTimer();

/** The identity of a broker that a cluster listed, and whether it has a controller. */
export interface KafkaView {
  readonly brokers: readonly number[];
  readonly controller: boolean;
}

/** The security part of a kafkajs client that such a cluster lets in. */
export function clientSecurity({ sasl, tls }: KafkaOptions): Pick<KafkaConfig, "sasl" | "ssl"> {
  const [user] = Object.entries(sasl?.users ?? {});
  const mechanism = sasl && mechanismsOf(sasl)[0];
  return {
    ...(mechanism && user && { sasl: { mechanism: mechanism.toLowerCase() as "plain", username: user[0], password: user[1] } }),
    ...(tls && {
      ssl: {
        ca: readFileSync(tls.certificates.ca.certFile),
        cert: readFileSync(tls.certificates.client.certFile),
        key: readFileSync(tls.certificates.client.keyFile),
      },
    }),
  };
}

/** What the broker at that address says of its cluster; undefined when it does not answer so within some seconds. */
export async function askKafka(
  address: string,
  security: Pick<KafkaConfig, "sasl" | "ssl"> = {},
): Promise<KafkaView | undefined> {
  const client = new Kafka({
    clientId: "waybill-tools",
    brokers: [address],
    connectionTimeout: 2_000,
    authenticationTimeout: 2_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
    ...security,
  });
  const admin: Admin = client.admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    return { brokers: brokers.map((broker) => broker.nodeId), controller: controller !== null && controller >= 0 };
  } catch {
    return undefined;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
