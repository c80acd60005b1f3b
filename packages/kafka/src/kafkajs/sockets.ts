import { connect, isIP, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "kafkajs";

/** The sockets of one client, so that they can be cut whatever the client does. */
export interface Sockets {
  readonly factory: ISocketFactory;
  /** Destroys all, and opens none again. */
  destroy(): void;
}

/** As kafkajs opens them, but without Nagle's delay, and remembered. */
export function createSockets(): Sockets {
  const open = new Set<Socket>();
  let destroyed = false;

  const factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    // kafkajs waits for an answer of some socket: one that fails at once is the way to refuse.
    if (destroyed) return new Socket().destroy(new Error("the client was closed"));
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connect({ host, port }, onConnect);
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    // kafkajs calls `unref` at every disconnect, which listens for the connection of a socket that has none yet.
    socket.setMaxListeners(0);
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    return socket;
  };

  return {
    factory,
    destroy() {
      destroyed = true;
      // With an error: kafkajs does not notice a socket that only closes.
      for (const socket of open) socket.destroy(new Error("the client was closed"));
    },
  };
}
