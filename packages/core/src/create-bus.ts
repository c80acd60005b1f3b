import type { Bus } from "./bus.ts";
import type { BusOptions } from "./bus-options.ts";
import type { Clock } from "./clock.ts";
import { WaybillBus } from "./waybill-bus.ts";

/**
 * Makes a bus. Synchronous and without I/O: the first `publish`, `subscribe` or `ready` connects.
 * Throws `CONFIG_INVALID` with every problem, or `TRANSPORT_MISSING`.
 */
export function createBus(options: BusOptions = {}): Bus {
  return new WaybillBus(options);
}

/** {@link createBus} on another clock: for test buses, whose time a test moves. */
export function createBusWith(options: BusOptions, internals: { readonly clock: Clock }): Bus {
  return new WaybillBus(options, internals);
}
