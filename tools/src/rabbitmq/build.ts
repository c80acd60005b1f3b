import {
  chmodSync,
  closeSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BrokerUnavailableError } from "../errors.ts";
import { withLock } from "../system/lock.ts";
import type { Log } from "../system/log.ts";
import { brokersDir } from "../system/paths.ts";
import { run } from "../system/process.ts";
import { type RabbitmqServer, serverBelow } from "./server.ts";

/** Debian suites with a RabbitMQ 4, the newest first. */
const SUITES = ["forky", "trixie"] as const;

/** What RabbitMQ and Erlang need besides each other, so that nothing of the host's older system is used. */
const LIBRARIES = [
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "zlib1g",
  "libtinfo6",
  "libssl3t64",
  "libzstd1",
  "libsystemd0",
  "libcap2",
  "libsctp1",
];

/**
 * Builds a RabbitMQ 4 with its own Erlang and C library from Debian packages, 100 MB in the cache, and changes nothing else on
 * the host. Built once; throws where apt has no Debian suite that holds one.
 */
export async function buildRabbitmq4(log: Log): Promise<RabbitmqServer> {
  const cache = join(brokersDir(), "cache");
  const root = join(cache, "rabbitmq-4");
  return builtServer(root) ?? withLock(join(cache, "rabbitmq-4.lock"), log, async () => builtServer(root) ?? build(root, log));
}

/** The paths of what is built are written into it, so it is built in place; a last file says that it is complete. */
const COMPLETE = ".complete";

function builtServer(root: string): RabbitmqServer | undefined {
  if (globSync(join(root, COMPLETE)).length === 0) return undefined;
  const server = serverBelow(root);
  return server && { ...server, erlangBin: join(root, "usr/lib/erlang/bin") };
}

async function build(root: string, log: Log): Promise<RabbitmqServer> {
  const failures: string[] = [];
  for (const suite of SUITES) {
    log(`building RabbitMQ 4 from the packages of Debian ${suite} (44 MB, once)`);
    rmSync(root, { recursive: true, force: true });
    try {
      await unpack(root, suite);
      await relocate(root);
      writeFileSync(join(root, COMPLETE), "");
      const server = builtServer(root);
      if (server) return server;
      failures.push(`${suite}: no server among the packages`);
    } catch (error) {
      failures.push(`${suite}: ${(error as Error).message}`);
    }
  }
  rmSync(root, { recursive: true, force: true });
  throw new BrokerUnavailableError(
    `RabbitMQ 4 is not installed, nor can it be built, which takes apt on a Debian: ${failures.join("; ")}`,
  );
}

async function unpack(root: string, suite: string): Promise<void> {
  const apt = join(root, "apt");
  const packages = join(root, "packages");
  for (const folder of ["state/lists/partial", "cache/archives/partial"]) mkdirSync(join(apt, folder), { recursive: true });
  mkdirSync(packages);
  writeFileSync(join(apt, "status"), "");
  writeFileSync(join(apt, "sources.list"), `deb ${await debianMirror()} ${suite} main\n`);
  writeFileSync(join(apt, "apt.conf"), aptConfig(apt));
  const env = { APT_CONFIG: join(apt, "apt.conf") };
  await run("apt-get", ["-qq", "update"], { env });
  const depends = await run("apt-cache", ["depends", "rabbitmq-server"], { env });
  const erlang = [...depends.matchAll(/Depends: (erlang-\S+)/g)].map((match) => match[1] ?? "");
  await run("apt-get", ["-qq", "download", "patchelf", ...LIBRARIES, "rabbitmq-server", "erlang-asn1", ...erlang], {
    env,
    cwd: packages,
  });
  for (const file of globSync(join(packages, "*.deb"))) await run("dpkg", ["-x", file, root]);
  rmSync(apt, { recursive: true });
  rmSync(packages, { recursive: true });
}

/** The mirror that this machine's own Debian packages come from. */
async function debianMirror(): Promise<string> {
  const codename = readFileSync("/etc/os-release", "utf8").match(/^VERSION_CODENAME=(\w+)/m)?.[1];
  const targets = await run("apt-get", ["indextargets", "--format", "$(REPO_URI)", `Codename: ${codename}`]);
  const [mirror] = targets.split("\n");
  if (!mirror) throw new Error(`apt names no mirror of ${codename}`);
  return mirror;
}

/** An apt that keeps everything below its own folder. */
function aptConfig(apt: string): string {
  return `Dir::State "${apt}/state"; Dir::State::status "${apt}/status"; Dir::Cache "${apt}/cache";
Dir::Etc::sourcelist "${apt}/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none"; APT::Sandbox::User "root";
`;
}

/** Makes Erlang's programs use the C library that came with them, and find themselves where they now stand. */
async function relocate(root: string): Promise<void> {
  const [loader] = globSync(join(root, "usr/lib/**/ld-linux-*.so.*"));
  const [libc] = globSync(join(root, "usr/lib/**/libc.so.6"));
  if (!loader || !libc) throw new Error("no C library among the packages");
  const libraries = dirname(libc);
  const erlang = join(root, "usr/lib/erlang");
  const patchelf = ["--library-path", libraries, join(root, "usr/bin/patchelf"), "--set-rpath", libraries];
  for (const file of globSync(join(erlang, "**"))) {
    const stat = statSync(file, { throwIfNoEntry: false });
    const library = file.endsWith(".so");
    if (!stat?.isFile() || !(library || stat.mode & 0o100) || !isElf(file)) continue;
    await run(loader, [...patchelf, ...(library ? [] : ["--set-interpreter", loader]), file]);
  }
  for (const file of globSync(join(erlang, "{bin,erts-*/bin}/{erl,start}"))) {
    writeFileSync(file, readFileSync(file, "utf8").replace(/ROOTDIR=.*\/erlang$/gm, `ROOTDIR=${erlang}`));
    chmodSync(file, 0o755);
  }
}

function isElf(file: string): boolean {
  const start = Buffer.alloc(4);
  const descriptor = openSync(file, "r");
  try {
    return readSync(descriptor, start) === 4 && start.equals(Buffer.from("\x7fELF", "latin1"));
  } finally {
    closeSync(descriptor);
  }
}
