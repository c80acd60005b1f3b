/** What is inferred is exact, and nothing is `any`. */
import { createBus, type DeliveryOf, type MessageOf, type PayloadOf, type Publisher, topic } from "@waybill/core";
import * as v from "valibot";
import { z } from "zod";
import { type invoices, orders, type readings } from "./contracts.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(ok: Equal<A, B>): void;

interface Shapes {
  placed: { orderId: string; total: number; placedAt: Date; note: string };
  cancelled: { orderId: string; reason: string };
  shipped: { orderId: string; carrier: "dhl" | "ups" };
}
type Types = "order.placed" | "order.cancelled" | "order.shipped";

const bus = createBus({ app: "x" });
export const publisher: Publisher = bus;

await bus.subscribe(orders, (delivery) => {
  same<typeof delivery.payload, Shapes["placed"] | Shapes["cancelled"] | Shapes["shipped"]>(true);
  same<typeof delivery.type, Types>(true);
});
await bus.subscribe(orders, {
  "order.placed": ({ payload, signal, ack }) => {
    same<typeof payload, Shapes["placed"]>(true);
    same<typeof signal, AbortSignal>(true);
    same<typeof ack, () => void>(true);
  },
});
await bus.subscribe(topic("x"), ({ payload, type }) => {
  same<typeof payload, unknown>(true);
  same<typeof type, string>(true);
});

same<PayloadOf<typeof orders, "order.shipped">, Shapes["shipped"]>(true);
same<PayloadOf<typeof invoices>, { id: string; cents: number }>(true);
same<DeliveryOf<typeof readings>["payload"], { sensor: string; value: number }>(true);
same<MessageOf<typeof orders>["type"], Types>(true);

topic("k", {
  events: { p: z.object({ id: z.string() }), q: v.object({ other: v.string() }) },
  key: (event) => {
    same<typeof event, { type: "p"; payload: { id: string } } | { type: "q"; payload: { other: string } }>(true);
    return "a";
  },
});
topic("k", {
  schema: z.object({ id: z.string().trim().default("") }),
  key: ({ payload, type }) => {
    same<typeof type, string>(true);
    return payload.id;
  },
});
topic("k", {
  key: (event) => {
    same<typeof event.payload, unknown>(true);
    return String(event.payload);
  },
});
