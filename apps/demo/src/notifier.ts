import { type Bus, DeadLetter, type Subscription } from "@waybill/core";
import { delays } from "./contracts.ts";
import { NoSuchPagerError, type Pager } from "./pager.ts";

/** The service behind the group "notify": what the pager refuses is tried again, or given up at once where that cannot help. */
export function runNotifier(bus: Bus, pager: Pager): Promise<Subscription> {
  return bus.subscribe(
    delays,
    { retry: { attempts: 5, backoff: { initial: "20ms", max: "500ms" } } },
    {
      "flight.delayed": async ({ id, payload }) => {
        try {
          await pager.send(id, payload.id);
        } catch (error) {
          if (error instanceof NoSuchPagerError) throw new DeadLetter(error.message, { cause: error });
          throw error;
        }
      },
    },
  );
}
