import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * A way to the broker that a test can close. It answers for the broker by rewriting the port that the broker advertises, so that a client that came
 * by it stays on it.
 */
export interface Gate {
  readonly url: string;
  /** Requests pass; answers wait until `release`. */
  holdAnswers(): void;
  /** Resolves when the broker has answered something that is held. */
  heard(): Promise<void>;
  /** Ends all connections, with what was held. */
  cut(): void;
  /** Ends all connections and takes no new ones until `release`. */
  refuse(): void;
  release(): void;
}

export async function openGate(url: string): Promise<Gate> {
  const { hostname, port } = new URL(url);
  const pairs = new Set<readonly [Socket, Socket]>();
  let holding = false;
  let refusing = false;
  const held: (readonly [Socket, Buffer])[] = [];
  let onHeld = () => {};

  const server = createServer((client) => {
    if (refusing) return void client.destroy();
    const broker = connect({ host: hostname, port: Number(port) });
    const pair = [client, broker] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      broker.destroy();
    };
    client.on("data", (data) => void broker.write(data));
    broker.on("data", (data) => {
      const answer = advertise(data, Number(port), own());
      if (!holding) return void client.write(answer);
      held.push([client, answer]);
      onHeld();
    });
    for (const socket of pair) socket.on("close", end).on("error", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = () => (server.address() as { port: number }).port;
  const cut = () => {
    held.length = 0;
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });

  return {
    url: `kafka://127.0.0.1:${own()}`,
    holdAnswers() {
      holding = true;
    },
    heard: () =>
      new Promise((resolve) => {
        if (held.length > 0) resolve();
        else onHeld = resolve;
      }),
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    release() {
      holding = false;
      refusing = false;
      onHeld = () => {};
      for (const [client, answer] of held.splice(0)) if (!client.destroyed) client.write(answer);
    },
  };
}

/** The broker's host and port, as Kafka writes them in metadata: a string and an int32. */
function advertise(data: Buffer, from: number, to: number): Buffer {
  const host = Buffer.from("127.0.0.1");
  for (let at = data.indexOf(host); at >= 0; at = data.indexOf(host, at + 1)) {
    const end = at + host.length;
    if (end + 4 <= data.length && data.readInt32BE(end) === from) data.writeInt32BE(to, end);
  }
  return data;
}
