import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { fromUrl, rabbitmq } from "../src/index.ts";
import { resolveOptions } from "../src/options.ts";

describe("options", () => {
  test("a URL names several hosts, credentials and a virtual host", () => {
    expect(resolveOptions({ url: "amqp://us%40er:p%3Aw@a,[::1]:5673/my%2Fhost?heartbeat=5s" }, {})).toMatchObject({
      hosts: [
        { hostname: "a", port: 5672 },
        { hostname: "::1", port: 5673 },
      ],
      username: "us@er",
      password: "p:w",
      vhost: "my/host",
      heartbeat: 5,
    });
  });

  test("code comes before the URL, the URL before the environment", () => {
    const env = { WAYBILL_RABBITMQ_USERNAME: "env", WAYBILL_RABBITMQ_PASSWORD: "env", WAYBILL_RABBITMQ_VHOST: "env" };
    expect(resolveOptions({ url: "amqp://url:url@host", username: "code" }, env)).toMatchObject({
      username: "code",
      password: "url",
      vhost: "env",
    });
  });

  test("all problems stand in one error, and no secret does", () => {
    const wrong = () =>
      rabbitmq({
        url: "amqp://me:s3cret@host:99999/?nonsense=1&ca=/x",
        heartbeat: "soon",
        maxMessageBytes: "1GiB",
        odd: 1,
      } as never);
    expect(wrong).toThrow(
      expect.objectContaining({
        code: "WAYBILL_CONFIG_INVALID",
        message: expect.stringMatching(/"odd".*"nonsense".*"ca" needs TLS.*99999.*"heartbeat".*"maxMessageBytes"/),
      }),
    );
    expect(wrong).toThrow(expect.objectContaining({ message: expect.not.stringContaining("s3cret") }));
  });

  test("a transport shows no password when it is inspected", () => {
    expect(inspect(fromUrl("amqp://me:s3cret@host"), { depth: 9, showHidden: true })).not.toContain("s3cret");
  });
});
