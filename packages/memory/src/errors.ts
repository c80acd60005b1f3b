import { WaybillError } from "@waybill/core/transport";

export function topicNotFound(topic: string, group?: string): WaybillError {
  const what = group === undefined ? `Topic "${topic}"` : `Group "${group}" of topic "${topic}"`;
  return new WaybillError("WAYBILL_TOPIC_NOT_FOUND", `${what} is not there.`, {
    topic,
    group,
    hint: 'Provision it with `provision: "create"`, which is the default.',
  });
}

export function unroutable(topic: string): WaybillError {
  return new WaybillError("WAYBILL_UNROUTABLE", `No group of topic "${topic}" takes the message, so it would be lost.`, {
    topic,
    hint: 'Name the groups in the topic\'s `groups`, subscribe first, or say `unrouted: "drop"`.',
  });
}

export function tooLarge(topic: string, bytes: number, most: number): WaybillError {
  return new WaybillError("WAYBILL_MESSAGE_TOO_LARGE", `A message for topic "${topic}" has ${bytes} bytes, more than ${most}.`, {
    topic,
  });
}

export function full(broker: string, topic: string, maxBytes: number): WaybillError {
  return new WaybillError(
    "WAYBILL_PUBLISH_REFUSED",
    `The broker ${broker} holds ${maxBytes} bytes of messages that its groups have not settled, and takes no more for topic "${topic}".`,
    { topic, retryable: true, hint: "Consume faster, or raise `maxBytes`." },
  );
}

export function noPartition(topic: string, partition: number): WaybillError {
  return new WaybillError("WAYBILL_PUBLISH_REFUSED", `Topic "${topic}" has no partition ${partition}.`, { topic });
}

export function disconnected(broker: string): WaybillError {
  return new WaybillError("WAYBILL_CONNECTION_FAILED", `The connection to ${broker} is down.`, { retryable: true });
}

export function closed(broker: string): WaybillError {
  return new WaybillError("WAYBILL_CLOSED", `The connection to ${broker} is closed.`);
}

export function mismatch(topic: string, what: string, declared: unknown, live: unknown): WaybillError {
  return new WaybillError("WAYBILL_TOPIC_MISMATCH", `Topic "${topic}" has ${what} ${live}, not ${declared}.`, {
    topic,
    hint: "Publishers and subscribers that disagree would lose messages: declare what is there, or use another topic.",
  });
}
