import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";

const FIRST = 15_000;
const LAST = 32_000;

/**
 * Ports of 127.0.0.1 that nothing listens on, all different.
 *
 * They lie below the ephemeral range. A port from inside it could be lost while its broker is down: the system may
 * give it to any outgoing connection, and a client that keeps trying a closed port there ends up connected to itself.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  try {
    for (let tries = 0; held.length < count; tries++) {
      if (tries > 50 * count) throw new Error(`no ${count} free ports between ${FIRST} and ${LAST}`);
      const server = await listen(FIRST + Math.floor(Math.random() * (LAST - FIRST)));
      if (server) held.push(server);
    }
    return held.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

/** Whether that port of 127.0.0.1 can be listened on. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (!server) return false;
  await new Promise((closed) => server.close(closed));
  return true;
}

/** Whether something accepts connections on that port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "127.0.0.1", port, timeout: 1_000 });
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  socket.once("timeout", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES") return undefined;
    throw error;
  }
}
