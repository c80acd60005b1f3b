import { type Clock, WaybillError } from "@waybill/core/transport";
import type { Channel, ChannelModel, ConfirmChannel } from "amqplib";
import { atMost } from "./at-most.ts";

/** The longest that the broker may take over one request: amqplib has no limit of its own. A queue whose majority is away takes seconds. */
const RPC_TIMEOUT = 15_000;

/** `request`, or a rejection that can be retried once it has taken too long. */
export function answered<T>(clock: Clock, request: Promise<T>, timeout = RPC_TIMEOUT): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeout, () => {
      reject(new WaybillError("WAYBILL_CONNECTION_FAILED", `RabbitMQ did not answer within ${timeout} ms.`, { retryable: true }));
    });
    request.then(resolve, reject).finally(cancel);
  });
}

/** A channel whose failure does not end the process: amqplib emits `error` as well as rejecting. */
export async function openChannel(model: ChannelModel, clock: Clock): Promise<Channel> {
  return guarded(await answered(clock, model.createChannel()));
}

/** The same with confirmed publishes. */
export async function openConfirmChannel(model: ChannelModel, clock: Clock): Promise<ConfirmChannel> {
  return guarded(await answered(clock, model.createConfirmChannel()));
}

function guarded<C extends Channel>(channel: C): C {
  channel.on("error", () => undefined);
  return channel;
}

/** Waits until the broker has taken all that was sent on it; never rejects. */
export async function closeChannel(channel: Channel, clock: Clock, timeout = RPC_TIMEOUT): Promise<void> {
  // amqplib never answers when the connection ends first.
  const gone = new Promise<void>((resolve) => void channel.once("close", resolve));
  await atMost(timeout, clock, Promise.race([channel.close(), gone])).catch(() => undefined);
}

/** Runs declarations and checks, one after the other. */
export type OnChannel = <T>(task: (channel: Channel) => Promise<T>) => Promise<T>;

/** Work on a channel of its own, opened again after each refusal: a missing object or a difference (404, 406) closes the channel that asked. */
export async function withSpareChannel<T>(model: ChannelModel, clock: Clock, work: (on: OnChannel) => Promise<T>): Promise<T> {
  let channel: Channel | undefined;
  const on: OnChannel = async (task) => {
    channel ??= await openChannel(model, clock);
    try {
      return await answered(clock, task(channel));
    } catch (error) {
      void closeChannel(channel, clock);
      channel = undefined;
      throw error;
    }
  };
  try {
    return await work(on);
  } finally {
    if (channel) void closeChannel(channel, clock);
  }
}
