import { silentLogger, systemClock, type Transport, WaybillError } from "@waybill/core/transport";
import { type Like, memory } from "@waybill/memory";
import type { ForeignMessage, Harness } from "../src/index.ts";
import { type Tamper, tamper } from "./tamper.ts";

/** A memory broker can be stopped, which only tests know. */
interface Stoppable extends Transport {
  readonly broker: { start(): void; stop(): void };
}

/** A memory broker whose members are tampered with. */
export function tamperedHarness(like: Like | undefined, change: Tamper, patience: number): Harness {
  const make = () => memory({ like, sessionTimeout: 10 }) as Stoppable;
  const broker = make();
  const transport = tamper(broker, change);
  return {
    transport: () => transport,
    patience,
    foreign: (topic, message) => publishForeign(transport, topic, message),
    async broker() {
      const own = make();
      const stop = async () => own.broker.stop();
      return { transport: () => tamper(own, change), start: async () => own.broker.start(), stop, remove: stop };
    },
    badCredentials: () => tamper(make(), (connection) => ({ ready: refuse, provision: refuse, ...change(connection) })),
  };
}

const refuse = () => Promise.reject(new WaybillError("WAYBILL_AUTHENTICATION_FAILED", "the password is wrong"));

/** Through the contract, which is all the wire that memory has. */
async function publishForeign(transport: Transport, name: string, { body, headers }: ForeignMessage): Promise<void> {
  const connection = transport.connect({ app: "foreign", logger: silentLogger, clock: systemClock, state: () => undefined });
  const topic = { name, keyed: true, partitions: 1, retention: undefined, groups: [], unrouted: "reject" } as const;
  const rest = { attributes: {}, contentType: undefined, key: undefined, timestamp: Date.now() };
  const deadline = Date.now() + 5_000;
  await connection
    .publisher("publish")
    .publish({ kind: "topic", topic, partition: 0 }, [{ ...rest, body, headers: Object.entries(headers) }], { deadline });
  await connection.close({ deadline });
}
