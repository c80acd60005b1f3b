/** What others make of the public types: plugins, and an outbox that is a publisher within a transaction. */
import type { Duration, Plugin, Publisher } from "@waybill/core";

export declare function metrics(): Plugin;

export declare function circuitBreaker(options: { failures: number; halfOpenAfter: Duration }): Plugin;

export declare function deduplicate(options: {
  store: { seen(id: string): Promise<boolean>; mark(id: string, ttl: number): Promise<void> };
  ttl: Duration;
}): Plugin;

export interface Tx {
  query(sql: string, params: readonly unknown[]): Promise<{ rows: unknown[] }>;
}

export declare function outbox(options: { app: string }): { within(tx: Tx): Publisher };
