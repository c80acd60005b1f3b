import { connect } from "amqplib";

/** The version that the broker at that URL says it has; undefined when it does not let that user in within some seconds. */
export async function askRabbitmq(url: string): Promise<string | undefined> {
  try {
    const connection = await connect(url, { timeout: 3_000 });
    connection.on("error", () => undefined);
    const { version } = connection.connection.serverProperties;
    await connection.close();
    return String(version);
  } catch {
    return undefined;
  }
}
