/** A broker that cannot be had on this machine, and what would change that. Any other error is one that should have started. */
export class BrokerUnavailableError extends Error {
  override readonly name = "BrokerUnavailableError";
}
