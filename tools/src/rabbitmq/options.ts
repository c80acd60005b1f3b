import type { Certificates } from "../certificates.ts";
import type { ClusterOptions } from "../cluster.ts";
import type { RabbitmqChoice } from "./server.ts";

/** A user besides guest. */
export interface RabbitmqUser {
  readonly password: string;
  /** What it may declare and delete, as a regular expression. @default ".*" */
  readonly configure?: string;
  /** What it may publish to and bind, as a regular expression. @default ".*" */
  readonly write?: string;
  /** What it may consume and bind from, as a regular expression. @default ".*" */
  readonly read?: string;
}

/** What a RabbitMQ cluster is started with. */
export interface RabbitmqOptions extends ClusterOptions {
  /** @default "installed" */
  readonly version?: RabbitmqChoice;
  /** By name; guest with the password guest is always there. */
  readonly users?: Readonly<Record<string, RabbitmqUser>>;
  /** Adds an encrypted listener, which the URLs then name. */
  readonly tls?: {
    readonly certificates: Certificates;
    /** Refuses clients without a certificate of the same authority. @default false */
    readonly clientAuth?: boolean;
  };
}
