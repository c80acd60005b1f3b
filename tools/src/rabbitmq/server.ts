import { existsSync, globSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { BrokerUnavailableError } from "../errors.ts";
import type { Log } from "../system/log.ts";
import { buildRabbitmq4 } from "./build.ts";

/** Where a RabbitMQ server's programs stand. */
export interface RabbitmqServer {
  /** "3.10.8" */
  readonly version: string;
  /** Holds `rabbitmq-server` and `rabbitmqctl`. */
  readonly sbin: string;
  /** Holds `erl` and `epmd`; undefined for those in PATH. */
  readonly erlangBin?: string;
}

/** `installed` is the newest that this machine has; `4` is built aside when the installed one is older. */
export type RabbitmqChoice = "installed" | "4";

/** The server of that choice; throws with what to do when it cannot be had. */
export async function rabbitmqServer(choice: RabbitmqChoice, log: Log): Promise<RabbitmqServer> {
  const installed = installedServer();
  if (choice === "installed") {
    if (!installed)
      throw new BrokerUnavailableError('no RabbitMQ is installed: install "rabbitmq-server", or ask for a RabbitMQ 4');
    return installed;
  }
  if (installed && isRabbitmq4(installed.version)) return installed;
  return buildRabbitmq4(log);
}

/** The server below a directory laid out as Debian's package does. */
export function serverBelow(root: string): RabbitmqServer | undefined {
  return newest(globSync(join(root, "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin")));
}

/** The version of the installed server; undefined without one. */
export function installedRabbitmq(): string | undefined {
  return installedServer()?.version;
}

/** Whether a version is a 4.x or later. */
export function isRabbitmq4(version: string | undefined): boolean {
  return Number.parseInt(version ?? "0", 10) >= 4;
}

function installedServer(): RabbitmqServer | undefined {
  // The programs in PATH may be wrappers that change user and directory: only a real sbin folder will do.
  const inPath = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "rabbitmq-server"))
    .filter((file) => existsSync(file))
    .map((file) => dirname(realpathSync(file)));
  const unpacked = globSync(["/opt/rabbitmq*/sbin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"]);
  return serverBelow("/") ?? newest([...inPath, ...unpacked]);
}

function newest(folders: readonly string[]): RabbitmqServer | undefined {
  return folders
    .flatMap((sbin) => {
      const version = existsSync(join(sbin, "rabbitmq-env")) ? versionOf(sbin) : undefined;
      return version === undefined ? [] : { version, sbin };
    })
    .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }))[0];
}

/** The release of the server whose programs stand there, as its own library folder is named. */
function versionOf(sbin: string): string | undefined {
  const [library] = globSync(join(realpathSync(sbin), "../plugins/rabbit-[0-9]*"));
  return library?.match(/rabbit-(\d+\.\d+\.\d+)/)?.[1];
}
