import type { Handler, HandlerMap } from "../bus.ts";
import { WaybillError } from "../errors.ts";
import type { Topic } from "../topic.ts";
import type { Call, Route } from "./attempt.ts";
import { schemaOf } from "./decode.ts";

/** Finds the handler of a type. Throws `CONFIG_INVALID` for a map that names what the topic does not have. */
export function routeOf(topic: Topic, handler: Handler<never> | HandlerMap<Topic>): Route {
  const refuse = (problem: string): never => {
    const message = `The subscription to "${topic.name}" is not valid: ${problem}.`;
    throw new WaybillError("WAYBILL_CONFIG_INVALID", message, { topic: topic.name });
  };
  if (typeof handler === "function") return routeAll(topic, handler as Handler<unknown>);
  if (typeof handler !== "object" || handler === null) return refuse("there is no handler");
  if (topic.form === "single") return refuse("a topic with one schema takes one handler, not a map");
  const handlers = new Map<string, Call>();
  for (const [type, one] of Object.entries(handler)) {
    if (schemaOf(topic, type) === undefined)
      refuse(`the topic has no event "${type}", only ${Object.keys(topic.schemas).join(", ")}`);
    if (one === undefined) continue;
    if (typeof one !== "function") return refuse(`the handler of "${type}" is no function`);
    handlers.set(type, one as Call);
  }
  return (type) => handlers.get(type);
}

/** One handler for all types that the contract knows: an unknown one has no schema, and so nothing that a handler could rely on. */
export function routeAll(topic: Topic, call: Call): Route {
  return (type) => (schemaOf(topic, type) === undefined ? undefined : call);
}
