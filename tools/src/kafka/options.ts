import type { Certificates } from "../certificates.ts";
import type { ClusterOptions } from "../cluster.ts";

/** A SASL mechanism that the broker can be started with. */
export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";

/** What a Kafka cluster is started with. */
export interface KafkaOptions extends ClusterOptions {
  /** Asks clients for credentials. */
  readonly sasl?: {
    /** Passwords by user name; every user has them with every mechanism. */
    readonly users: Readonly<Record<string, string>>;
    /** @default all three */
    readonly mechanisms?: readonly SaslMechanism[];
  };
  /** Encrypts the clients' connections. */
  readonly tls?: {
    readonly certificates: Certificates;
    /** Refuses clients without a certificate of the same authority. @default false */
    readonly clientAuth?: boolean;
  };
}

/** The mechanisms that `sasl` asks for. */
export function mechanismsOf(sasl: NonNullable<KafkaOptions["sasl"]>): readonly SaslMechanism[] {
  return sasl.mechanisms ?? ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
}
