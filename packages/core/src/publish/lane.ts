import type { WaybillError } from "../errors.ts";
import type { Destination, Envelope } from "../transport.ts";
import { type Linked, Queue } from "./queue.ts";
import type { Waiter } from "./watch.ts";

/** One message on its way. */
export interface Item extends Waiter, Linked<Item> {
  readonly to: Destination;
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly resolve: (position: string | undefined) => void;
  readonly reject: (reason: unknown) => void;
  /** Before the limits, in its lane's queue, or with the transport. */
  stage: "waiting" | "queued" | "sent";
  /** An earlier attempt may have stored it. */
  doubt: boolean;
  /** Of the last attempt. */
  error: WaybillError | undefined;
}

/** What goes to one destination, in order. */
export class Lane {
  readonly queue = new Queue<Item>();
  /** Somebody empties the queue. */
  running = false;
  /** The first batch waits for the end of this turn. */
  gathering = false;
}

/** Lanes by destination, made at first use. */
export class Lanes {
  readonly #byName = new Map<string, Lane[]>();

  of(to: Destination): Lane {
    const name = nameOf(to);
    let lanes = this.#byName.get(name);
    if (lanes === undefined) {
      lanes = [];
      this.#byName.set(name, lanes);
    }
    let lane = lanes[to.partition];
    if (lane === undefined) {
      lane = new Lane();
      lanes[to.partition] = lane;
    }
    return lane;
  }
}

/** Names of topics and groups have no colon. */
function nameOf(to: Destination): string {
  if (to.kind === "topic") return to.topic.name;
  if (to.kind === "delay") return `delay:${to.topic.name}:${to.group}:${to.ms}`;
  return `${to.kind}:${to.topic.name}:${to.group}`;
}
