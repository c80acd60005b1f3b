import type { ConfirmChannel, Options } from "amqplib";
import type { Properties } from "./mapping.ts";

/** What the broker answered to one publish: stored, refused, no queue took it, or the channel went before the answer came. */
export type Answer = "stored" | "refused" | "unrouted" | "lost";

interface Sent {
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
  returned: boolean;
}

/** amqplib itself has no bound: 300,000 unconfirmed publishes cost 150 MiB. */
const MOST = { messages: 1_000, bytes: 16 * 1_048_576 };

/** A channel with confirmed publishes, bounded in what is unanswered. */
export class Confirms {
  readonly #channel: ConfirmChannel;
  readonly #sent = new Set<Sent>();
  readonly #waiting: (() => void)[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #bytes = 0;
  #open = true;
  #reason: Error | undefined;

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
    channel.on("return", ({ fields, properties }) => {
      const { exchange, routingKey } = fields as unknown as Sent;
      this.#returned(exchange, routingKey, properties.messageId);
    });
    channel.on("error", (error) => {
      this.#reason = error;
    });
    channel.on("close", () => {
      this.#open = false;
      for (const wake of this.#waiting.splice(0)) wake();
      this.#closed.resolve();
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Why the broker closed it, once it has. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get full(): boolean {
    return this.#sent.size >= MOST.messages || this.#bytes >= MOST.bytes;
  }

  /** Resolves when it may no longer be full, or is closed. */
  vacancy(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Throws, having sent nothing, when the channel is closed or the properties cannot be encoded. `answer` is called once otherwise. */
  send(exchange: string, routingKey: string, content: Buffer, properties: Properties, answer: (answer: Answer) => void): void {
    const sent: Sent = { exchange, routingKey, messageId: properties.messageId, returned: false };
    const bytes = content.byteLength;
    this.#channel.publish(exchange, routingKey, content, properties as Options.Publish, (error: Error | null) => {
      this.#sent.delete(sent);
      this.#bytes -= bytes;
      if (this.#waiting.length > 0 && !this.full) for (const wake of this.#waiting.splice(0)) wake();
      // amqplib tells a refusal from a closed channel by these words only.
      if (error) answer(error.message === "message nacked" ? "refused" : "lost");
      else answer(sent.returned ? "unrouted" : "stored");
    });
    this.#sent.add(sent);
    this.#bytes += bytes;
  }

  /** Closes; what is unanswered by then is answered as lost. */
  async close(): Promise<void> {
    await this.#channel.close().catch(() => undefined);
    await this.#closed.promise;
  }

  /** A return comes before the confirm of the same publish, and returns come in the order of publishing. */
  #returned(exchange: string, routingKey: string, messageId: string | undefined): void {
    for (const sent of this.#sent) {
      if (!sent.returned && sent.messageId === messageId && sent.routingKey === routingKey && sent.exchange === exchange) {
        sent.returned = true;
        return;
      }
    }
  }
}
