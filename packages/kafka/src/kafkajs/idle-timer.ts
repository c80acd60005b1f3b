import { createRequire } from "node:module";

/** The part of kafkajs's request queue that its idle timer uses. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let cured = false;

/**
 * kafkajs arms a timer of 1 ms for every response, with a negative delay of which Node 24 warns, although nothing waits to be sent
 * (https://github.com/tulios/kafkajs/issues/1556, https://github.com/tulios/kafkajs/issues/1751).
 */
export function cureIdleTimer(): void {
  if (cured) return;
  cured = true;
  const { prototype } = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
