/** The contract package that all programs share. */
import { topic } from "@waybill/core";
import * as v from "valibot";
import { z } from "zod";

export const orders = topic("shop.orders", {
  events: {
    "order.placed": z.object({
      orderId: z.string(),
      total: z.number().positive(),
      placedAt: z.iso.datetime().transform((s) => new Date(s)),
      note: z.string().default(""),
    }),
    "order.cancelled": z.object({ orderId: z.string(), reason: z.string() }),
    // Libraries mix.
    "order.shipped": v.object({ orderId: v.string(), carrier: v.picklist(["dhl", "ups"]) }),
  },
  key: (event) => event.payload.orderId,
  partitions: 12,
  retention: "7d",
  groups: ["billing", "shipping"],
});

export const invoices = topic("invoices", {
  schema: z.object({ id: z.string(), cents: z.int() }),
  key: ({ payload }) => payload.id,
});

/** Without keys. */
export const readings = topic("plant.readings", { schema: v.object({ sensor: v.string(), value: v.number() }) });
