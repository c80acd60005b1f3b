import type { Transport } from "@waybill/core";

/** What an adapter's test says about itself: how to make members, and what else its broker lets the suite do. */
export interface Harness {
  /** A transport to the broker under test. Each call is a member of its own; where a transport may be shared, the same one may come back. */
  transport(): Transport | Promise<Transport>;
  /** Why the suite cannot run here (no broker, no docker, …). Everything is then skipped, with this reason in the title. */
  readonly skip?: string | undefined;
  /** Publishes as a program without Waybill does, with the broker's native client. */
  readonly foreign?: ((topic: string, message: ForeignMessage) => Promise<void>) | undefined;
  /** A broker of the suite's own, running, which it may stop and start. */
  readonly broker?: (() => Promise<OwnBroker>) | undefined;
  /** A transport to the broker under test, or another, with credentials that it refuses. */
  readonly badCredentials?: (() => Transport | Promise<Transport>) | undefined;
  /**
   * Milliseconds within which anything that must happen has happened: longer than a member that vanished is missed by its group.
   * @default 20_000
   */
  readonly patience?: number | undefined;
}

/** What a program without Waybill would put on a topic, natively: to partition 0, or wherever the broker takes it. */
export interface ForeignMessage {
  readonly body: Uint8Array;
  /** Strings and bytes, as native headers. */
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

/** A broker that nothing else uses. Its data outlives a stop. */
export interface OwnBroker {
  transport(): Transport | Promise<Transport>;
  start(): Promise<void>;
  /** Ends it as a crash does, or in order. */
  stop(): Promise<void>;
  /** Stops it for good and removes what it left. */
  remove(): Promise<void>;
}

/** How long anything may take that must happen, in milliseconds. */
export function patienceOf({ patience = 20_000 }: Harness): number {
  return patience;
}
