/** Says that a broker cannot be had on this machine and what would change that; any other error is a broker that should have started. */
export class BrokerUnavailableError extends Error {
  override readonly name = "BrokerUnavailableError";
}
