import { createRequire } from "node:module";

/** The part of kafkajs's request queue that its idle timer uses. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

/**
 * Keeps kafkajs 2.2.4 from arming a timer with a negative delay while nothing is pending, of which Node 24 warns
 * (https://github.com/tulios/kafkajs/issues/1751).
 */
export function quietIdleTimer(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
