import { AsyncLocalStorage } from "node:async_hooks";

/** What a handler's calls know of the delivery they are made for. */
export interface HandlingContext {
  /** The bus whose handler this is. */
  readonly bus: object;
  readonly correlationId: string | undefined;
  /** Id of the delivery: the causation id of what is published meanwhile. */
  readonly deliveryId: string;
}

const storage = new AsyncLocalStorage<HandlingContext>();

/** Runs a handler within its context, whatever it awaits included. */
export function handling<T>(context: HandlingContext, run: () => T): T {
  return storage.run(context, run);
}

/** The context of the handler that this code runs for, if any. */
export function currentHandling(): HandlingContext | undefined {
  return storage.getStore();
}
