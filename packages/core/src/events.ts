import { toError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import type { BusEvents, Plugin } from "./plugin.ts";

/** Passes what happens on a bus, or on one subscription and so on its bus, to plugins. A listener that throws is logged and harms nobody. */
export class Events {
  readonly #listeners = new Map<string, ((event: never) => void)[]>();
  readonly #logger: Logger;
  readonly #parent: Events | undefined;

  constructor(logger: Logger, parent?: Events) {
    this.#logger = logger;
    this.#parent = parent;
  }

  /** Events of one subscription: its own plugins hear them after those of the bus. */
  of(plugins: readonly Plugin[]): Events {
    const own = new Events(this.#logger, this);
    for (const plugin of plugins) own.add(plugin);
    return own;
  }

  add(plugin: Plugin): void {
    for (const [name, listener] of Object.entries(plugin.on ?? {})) {
      if (listener !== undefined) this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    }
  }

  /** Whether anybody listens: what is costly to describe need not be. */
  has(name: keyof BusEvents): boolean {
    return this.#listeners.has(name) || (this.#parent?.has(name) ?? false);
  }

  emit<K extends keyof BusEvents>(name: K, event: BusEvents[K]): void {
    this.#parent?.emit(name, event);
    for (const listener of (this.#listeners.get(name) ?? []) as ((event: BusEvents[K]) => void)[]) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ event: name, error: toError(error) }, "a plugin's listener threw");
      }
    }
  }
}
