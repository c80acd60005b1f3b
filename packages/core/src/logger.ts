/** One log line: fields first, as pino has it. */
export type Log = (fields: object, message: string) => void;

/** Where the bus writes. `pino()`, `fastify.log` and `console` fit. */
export interface Logger {
  debug: Log;
  info: Log;
  warn: Log;
  error: Log;
}

const nothing: Log = () => {};

/** The default of a bus: warnings and errors on standard error, nothing else. */
export const defaultLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => console.warn(`waybill: ${message}`, fields),
  error: (fields, message) => console.error(`waybill: ${message}`, fields),
};

/** Writes nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
