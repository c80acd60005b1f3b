import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { fromUrl, type KafkaOptions, kafka } from "../src/index.ts";
import { readOptions } from "../src/options.ts";

const read = (options: KafkaOptions, env: Record<string, string> = {}) => readOptions(options, env);

describe("options", () => {
  test("have defaults", () => {
    expect(read({})).toEqual({
      brokers: ["localhost:9092"],
      tls: false,
      sasl: undefined,
      compression: "none",
      sessionTimeout: 10_000,
      metadataRefresh: 30_000,
      maxMessageBytes: 1_048_576,
      assignor: "sticky",
      replicationFactor: -1,
    });
  });

  test("a URL names several hosts, credentials and options", () => {
    const url =
      "kafkas://us%40er:p%3Aa%2Fss@a:9093,b?mechanism=scram-sha-512&compression=lz4&sessionTimeout=30s&replicationFactor=3";
    expect(read({ url })).toMatchObject({
      brokers: ["a:9093", "b:9092"],
      tls: {},
      sasl: { mechanism: "scram-sha-512", username: "us@er", password: "p:a/ss" },
      compression: "lz4",
      sessionTimeout: 30_000,
      replicationFactor: 3,
    });
    expect(read({ url: "kafka://[::1]:9092" }).brokers).toEqual(["[::1]:9092"]);
  });

  test("code wins over the URL, and that over the environment", () => {
    const env = { WAYBILL_KAFKA_BROKERS: "env:1", WAYBILL_KAFKA_USERNAME: "env", WAYBILL_KAFKA_PASSWORD: "secret" };
    expect(read({}, env)).toMatchObject({
      brokers: ["env:1"],
      sasl: { mechanism: "plain", username: "env", password: "secret" },
    });
    const sasl = { mechanism: "plain", username: "url", password: "u" } as const;
    expect(read({ url: "kafka://url:u@url:1" }, env)).toMatchObject({ brokers: ["url:1"], sasl });
    expect(read({ url: "kafka://url:1", brokers: ["code:1"] }, env).brokers).toEqual(["code:1"]);
  });

  test("every problem is named at once, and no value", () => {
    const bad = {
      url: "kafka://user:hunter2@a:1?compresion=lz4",
      brokers: ["nowhere"],
      compression: "brotli",
      sessionTimeout: "1s",
      colour: "red",
      tls: { cert: "x", cart: "y" },
    } as unknown as KafkaOptions;
    expect(() => kafka(bad)).toThrow(
      expect.objectContaining({
        code: "WAYBILL_CONFIG_INVALID",
        message: expect.stringMatching(
          /"compresion".*"colour".*`brokers`.*`compression`.*"tls\.cart".*`tls\.cert` and `tls\.key`.*`sessionTimeout`/,
        ),
      }),
    );
    expect(() => kafka(bad)).not.toThrow(/hunter2/);
    expect(() => fromUrl("kafka://user:hunter2@/vhost")).not.toThrow(/hunter2/);
    expect(() => fromUrl("kafka://user:hunter2@/vhost")).toThrow(/kafka:\/\/host:port/);
  });

  test("a password without a user is a problem", () => {
    expect(() => read({ sasl: { mechanism: "plain", username: "", password: "x" } })).toThrow(/username/);
    expect(() => read({ url: "kafka://user@a:1" })).toThrow(/password/);
  });

  test("no secret shows when a transport is printed", () => {
    const transport = kafka({ url: "kafka://user:hunter2@a:1", tls: { key: "hunter2", cert: "c" } });
    expect(inspect(transport, { depth: 10, showHidden: true })).not.toContain("hunter2");
    expect(JSON.stringify(transport)).not.toContain("hunter2");
  });

  test("files that cannot be read are a problem", () => {
    expect(() => read({ tls: true }, { WAYBILL_KAFKA_CA: "/nowhere/ca.pem" })).toThrow(/WAYBILL_KAFKA_CA.*ENOENT/);
    expect(() => read({ url: "kafkas://a?ca=/nowhere/ca.pem" })).toThrow(/the URL's "ca".*ENOENT/);
    expect(() => read({ url: "kafka://a?ca=/nowhere/ca.pem" })).toThrow(/no kafkas: URL/);
  });

  test("files of the URL and the environment are read", () => {
    const url = `kafkas://a?ca=${encodeURIComponent(import.meta.filename)}`;
    expect(read({ url }).tls).toEqual({ ca: expect.stringContaining("files of the URL") });
    expect(read({ tls: true }, { WAYBILL_KAFKA_CA: import.meta.filename }).tls).toEqual(read({ url }).tls);
  });
});
