/** What must not compile. */
import { createBus, type ErrorCode, type HandlerMap, topic, unchecked } from "@waybill/core";
import * as v from "valibot";
import { z } from "zod";
import { invoices, orders } from "./contracts.ts";

const bus = createBus({ app: "x" });

// -------------------------------------------------------------- publish

// @ts-expect-error wrong field type
await bus.publish(orders, "order.placed", { orderId: "1", total: "2", placedAt: "" });
// @ts-expect-error missing field
await bus.publish(orders, "order.placed", { orderId: "1", total: 2 });
// @ts-expect-error excess field
await bus.publish(orders, "order.cancelled", { orderId: "1", reason: "", extra: 1 });
// @ts-expect-error the output type is not the input type
await bus.publish(orders, "order.placed", { orderId: "1", total: 2, placedAt: new Date() });
// @ts-expect-error payload of another event
await bus.publish(orders, "order.shipped", { orderId: "1", reason: "" });
// @ts-expect-error unknown event
await bus.publish(orders, "order.plaaced", { orderId: "1", reason: "" });
// @ts-expect-error event name forgotten
await bus.publish(orders, { orderId: "1", reason: "" });
// @ts-expect-error event name on a topic with one schema
await bus.publish(invoices, "invoices", { id: "1", cents: 1 });
// @ts-expect-error wrong payload
await bus.publish(invoices, { id: 1, cents: 1 });
// @ts-expect-error unknown option
await bus.publish(invoices, { id: "1", cents: 1 }, { ttl: "1m" });
// @ts-expect-error headers are strings
await bus.publish(invoices, { id: "1", cents: 1 }, { headers: { n: 1 } });
// @ts-expect-error a key is a string
await bus.publish(invoices, { id: "1", cents: 1 }, { key: 1 });
// @ts-expect-error a string is no topic
await bus.publish("shop.orders", { a: 1 });
// @ts-expect-error wrong message
await bus.publishMany(orders, [{ type: "order.cancelled", payload: { orderId: "1" } }]);
// @ts-expect-error no payload fits a union of names
await bus.publish(orders, "order.placed" as "order.placed" | "order.cancelled", { orderId: 1 });

// -------------------------------------------------------------- topic

// @ts-expect-error numeric key
topic("k", { schema: z.object({ id: z.number() }), key: ({ payload }) => payload.id });
// @ts-expect-error numeric key in one event
topic("k", { events: { a: z.object({ id: z.number() }), b: z.object({ id: z.string() }) }, key: (e) => e.payload.id });
// @ts-expect-error optional key
topic("k", { schema: z.object({ id: z.string().optional() }), key: ({ payload }) => payload.id });
// @ts-expect-error field that one event lacks
topic("k", { events: { a: z.object({ id: z.string() }), b: v.object({ no: v.string() }) }, key: (e) => e.payload.id });
// @ts-expect-error not a schema
topic("k", { events: { a: { type: "object" } } });
// @ts-expect-error typo
topic("k", { schema: unchecked<string>(), partitons: 3 });
// @ts-expect-error unit
topic("k", { schema: unchecked<string>(), retention: "7 days" });
// @ts-expect-error both
topic("k", { schema: unchecked<string>(), events: { a: unchecked<string>() } });

// -------------------------------------------------------------- subscribe

// @ts-expect-error unknown event in the map
await bus.subscribe(orders, {}, { "order.plcaed": () => {} });
// @ts-expect-error field of another event
await bus.subscribe(orders, {}, { "order.cancelled": ({ payload }) => payload.total });
// @ts-expect-error no such member of a delivery
await bus.subscribe(orders, {}, { "order.cancelled": ({ body }) => body });
// @ts-expect-error field before narrowing
await bus.subscribe(orders, ({ payload }) => payload.total);
// @ts-expect-error a map on a topic with one schema
await bus.subscribe(invoices, { invoices: () => {} });
// @ts-expect-error typo in an option
await bus.subscribe(orders, { concurency: 1 }, () => {});
// @ts-expect-error duration
await bus.subscribe(orders, { retry: { backoff: "soon" } }, () => {});
// @ts-expect-error handler typed for another payload
await bus.subscribe(invoices, (delivery: { payload: { id: number } }) => delivery);
// @ts-expect-error not exhaustive
({ "order.placed": () => {} }) satisfies Required<HandlerMap<typeof orders>>;
// @ts-expect-error a pulled payload is a union
(await (await bus.pull(orders)).receive())?.payload.total;
// @ts-expect-error no such code
export const code: ErrorCode = "WAYBILL_OOPS";
