import { delivering } from "../tamper.ts";
import { instead, type Sabotage, storing } from "./sabotage.ts";

/** What a message is made of. */
export const contentsSabotages: readonly Sabotage[] = [
  {
    name: "forgets keys",
    tamper: () => storing((envelope) => ({ ...envelope, key: undefined })),
    caughtBy: { "a key comes back": /undefined/ },
  },
  {
    name: "forgets headers",
    tamper: () => storing((envelope) => ({ ...envelope, headers: [] })),
    caughtBy: {
      "a hundred headers": /header-0/,
      "values come back as they were": /script/,
      "names keep their case": /Tenant-Id/,
    },
  },
  {
    name: "adds a header of its own",
    tamper: () => delivering((message) => ({ ...message, headers: [...message.headers, ["x-broker", "7"]] })),
    caughtBy: { "a message without headers has none": /x-broker/, "a message of a program without": /x-broker/ },
  },
  {
    name: "takes binary headers for text",
    tamper: () =>
      delivering((message) => ({ ...message, headers: message.headers.map(([name, value]) => [name, String(value)]) })),
    caughtBy: { "its string headers come back": /blob/ },
  },
  {
    name: "forgets attributes",
    tamper: () => storing(({ attributes: { id, ...rest }, ...envelope }) => ({ ...envelope, attributes: rest, timestamp: 0 })),
    caughtBy: { "id, source, type, time": /order\/1/, "a message has an id and a time": /conformance-/ },
  },
  {
    name: "forgets where a message came from",
    tamper: () => storing(({ attributes: { causationid, ...attributes }, ...envelope }) => ({ ...envelope, attributes })),
    caughtBy: { "what a handler publishes carries": /causationId/ },
  },
  {
    name: "takes bytes for text",
    tamper: () => storing((envelope) => ({ ...envelope, body: Buffer.from(Buffer.from(envelope.body ?? []).toString()) })),
    caughtBy: { "bytes come back": /came back as other/, "900 KiB come back": /came back as other/ },
  },
  {
    name: "takes text for Latin-1",
    tamper: () =>
      storing((envelope) => ({ ...envelope, body: Buffer.from(Buffer.from(envelope.body ?? []).toString("latin1")) })),
    caughtBy: { "JSON comes back": /Zürich/ },
  },
  {
    name: "drops empty messages",
    tamper: () => instead((envelope) => (envelope.body?.byteLength === 0 ? [] : [envelope])),
    caughtBy: { "an empty payload": /waited .* payloads/ },
  },
];
