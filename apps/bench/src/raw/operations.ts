import * as kafka from "./kafka.ts";
import * as memory from "./memory.ts";
import * as rabbitmq from "./rabbitmq.ts";

/** All that is measured of others: each gives one number. */
export const operations = { ...kafka, ...rabbitmq, ...memory };

/** By their names. */
export type Operations = typeof operations;
