import type { Handler, HandlerMap } from "../bus.ts";
import { WaybillError } from "../errors.ts";
import type { Topic } from "../topic.ts";
import type { Route } from "./attempt.ts";
import { schemaOf } from "./decode.ts";

/** Finds the handler of a type. Throws `CONFIG_INVALID` for a map that names what the topic does not have. */
export function routeOf(topic: Topic, handler: Handler<never> | HandlerMap<Topic>): Route {
  const refuse = (problem: string): never => {
    const message = `The subscription to "${topic.name}" is not valid: ${problem}.`;
    throw new WaybillError("WAYBILL_CONFIG_INVALID", message, { topic: topic.name });
  };
  if (typeof handler === "function") {
    const call = handler as ReturnType<Route>;
    // A type that the contract does not know has no schema, and so no handler that could rely on anything.
    return topic.form === "single" ? () => call : (type) => (schemaOf(topic, type) === undefined ? undefined : call);
  }
  if (typeof handler !== "object" || handler === null) return refuse("there is no handler");
  if (topic.form === "single") return refuse("a topic with one schema takes one handler, not a map");
  const handlers = new Map<string, ReturnType<Route>>();
  for (const [type, one] of Object.entries(handler)) {
    if (schemaOf(topic, type) === undefined)
      refuse(`the topic has no event "${type}", only ${Object.keys(topic.schemas).join(", ")}`);
    if (one === undefined) continue;
    if (typeof one !== "function") return refuse(`the handler of "${type}" is no function`);
    handlers.set(type, one as ReturnType<Route>);
  }
  return (type) => handlers.get(type);
}
