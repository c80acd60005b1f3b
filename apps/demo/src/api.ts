import { type Bus, type Publisher, WaybillError } from "@waybill/core";
import { type FastifyInstance, fastify } from "fastify";
import { z } from "zod";
import type { Board } from "./board.ts";
import { Flight, flights } from "./contracts.ts";

/** What the API works with. */
export interface ApiOptions {
  /** Takes the flights; its health is the API's health. */
  readonly bus: Publisher & Pick<Bus, "health">;
  readonly board: Board;
  /** How long a request may wait for the broker, in milliseconds; then it is answered with 503. @default 10000 */
  readonly timeout?: number;
}

/**
 * The REST API, not yet listening.
 *
 * - `POST /flights` takes a flight, an array, or one a line (`application/x-ndjson`). 202 says that the broker has stored all of them;
 *   503 that it may not have, and that the same request should be made again.
 * - `GET /board` gives the busiest airports first, `GET /health` what the bus says of itself.
 */
export function createApi({ bus, board, timeout = 10_000 }: ApiOptions): FastifyInstance {
  const app = fastify();
  app.addContentTypeParser("application/x-ndjson", { parseAs: "string" }, async (_request: unknown, body: string) => lines(body));

  app.post("/flights", async (request, reply) => {
    const batch = z.array(Flight).safeParse([request.body].flat());
    if (!batch.success) return reply.code(400).send({ code: "FLIGHTS_INVALID", issues: batch.error.issues });
    // The flight's own number makes the id, so that a request that is made again publishes no new messages but the same ones again.
    const messages = batch.data.map((flight) => ({ id: `flight-${flight.id}`, payload: flight }));
    const receipts = await bus.publishMany(flights, messages, { timeout });
    return reply.code(202).send({ ids: receipts.map(({ id }) => id) });
  });
  app.get("/board", async () => board.rows());
  app.get("/health", async (_request, reply) => {
    const health = await bus.health();
    return reply.code(health.status === "down" ? 503 : 200).send(health);
  });
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof WaybillError)) return reply.send(error);
    if (error.retryable) return reply.code(503).header("retry-after", "1").send({ code: error.code, message: error.message });
    return reply.code(500).send({ code: error.code, message: error.message });
  });
  return app;
}

function lines(body: string): unknown[] {
  try {
    return body
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line));
  } catch (error) {
    throw Object.assign(error as SyntaxError, { statusCode: 400 });
  }
}
