import { type Bus, RetryLater, type Subscription, WaybillError } from "@waybill/core";
import { delays, flights } from "./contracts.ts";

/** Minutes; more than this is worth an alert. */
const LATE = 60;

/** What the alerts service has published. */
export class Alerts {
  /** By message id, how often: more than once only after a crash, and then with the same id. */
  readonly published = new Map<string, number>();
}

/** The service behind the group "alerts": one message in, at most one out. */
export function runAlerts(bus: Bus, alerts: Alerts): Promise<Subscription> {
  return bus.subscribe(flights, async ({ payload: { distance, ...flight } }) => {
    if (flight.delay <= LATE) return;
    // An id made from the flight, not a new one: whoever gets the alert twice can tell that it is the same.
    const id = `delayed-${flight.id}`;
    await bus.publish(delays, "flight.delayed", flight, { id }).catch(waitForBroker);
    alerts.published.set(id, (alerts.published.get(id) ?? 0) + 1);
  });
}

/** A broker that is away is not the flight's fault: the message waits in place, and spends none of its attempts. */
function waitForBroker(error: unknown): never {
  if (error instanceof WaybillError && error.retryable) throw new RetryLater({ after: "1s", counts: false, cause: error });
  throw error;
}
