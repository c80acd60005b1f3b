import { type ChannelModel, type ConfirmChannel, connect, type Options } from "amqplib";

/** amqplib; without `noDelay` it would be forty times slower where it waits for each answer. */
export function rawRabbitmq(url: string): Promise<ChannelModel> {
  return connect(url, { noDelay: true });
}

/** The queue that holds what a group is to get of one partition. */
export function queueOf(topic: string, group: string, partition: number): string {
  return `${topic}.${group}.${partition}`;
}

/** One confirmed publish; rejects when the broker refuses it. */
export function confirmed(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  body: Buffer,
  properties: Options.Publish,
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(exchange, routingKey, body, properties, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}
