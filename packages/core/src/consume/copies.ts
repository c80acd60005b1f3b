import { type Backoff, backoffDelay } from "../backoff.ts";
import { type Clock, sleep } from "../clock.ts";
import { toError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Sender } from "../publish/sender.ts";
import type { Destination, Envelope } from "../transport.ts";

/** How a refused copy is written again: by then somebody has to do something. */
const REWRITE: Backoff = { initial: 500, max: 30_000 };

export interface CopiesOptions {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the subscription closes. */
  readonly closing: AbortSignal;
}

/** Writes a subscription's dead letters and delayed retries, and does not give up: the original is settled only when the copy stands. */
export class Copies {
  readonly #o: CopiesOptions;
  #failing = 0;
  #problem: string | undefined;

  constructor(options: CopiesOptions) {
    this.#o = options;
  }

  /** Why copies cannot be written now, if so. */
  get problem(): string | undefined {
    return this.#failing > 0 ? this.#problem : undefined;
  }

  /** Resolves when the copy is stored. Rejects only when the subscription closes before that. */
  async write(to: Destination & { readonly group: string }, envelope: Envelope): Promise<void> {
    let failed = false;
    try {
      for (let attempt = 1; ; attempt++) {
        const refusal = await this.#try(to, envelope);
        if (refusal === undefined) return;
        if (!failed) this.#failing++;
        failed = true;
        this.#report(to, attempt, refusal);
        await sleep(this.#o.clock, backoffDelay(REWRITE, attempt), this.#o.closing);
      }
    } finally {
      if (failed) this.#failing--;
    }
  }

  async #try(to: Destination, envelope: Envelope): Promise<Error | undefined> {
    const { sender, closing } = this.#o;
    try {
      await sender.send(to, envelope, { deadline: Number.POSITIVE_INFINITY, signal: closing });
      return undefined;
    } catch (refusal) {
      return toError(refusal);
    }
  }

  #report(to: Destination & { readonly group: string }, attempt: number, error: Error): void {
    const { logger, closing } = this.#o;
    const { kind, group } = to;
    const topic = to.topic.name;
    const what = kind === "dead" ? "dead letters" : "delayed retries";
    this.#problem = `${what} of ${topic} cannot be written for group ${group}: ${error.message}`;
    if (!closing.aborted) logger.error({ topic, group, kind, attempt, error }, "a copy cannot be written; its message stays");
  }
}
