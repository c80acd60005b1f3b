/**
 * Adds to package-lock.json the binaries for other platforms that npm left out.
 *
 * Where the registry is a mirror with the binaries of one platform, npm records no entry for the others, and `npm ci` then
 * refuses the lockfile that `npm install` has just written (https://github.com/npm/cli/issues/9846). What an entry needs
 * is known without the registry: the version from the package that wants it, the platform from its name.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface Entry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

const file = new URL("../../package-lock.json", import.meta.url);
const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(file, "utf8"));

const systems = ["darwin", "linux", "win32", "android", "freebsd", "netbsd", "openbsd", "sunos", "aix", "openharmony"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];
const aliases: Record<string, string> = { windows: "win32", "64": "x64" };

/** `@turbo/windows-64` is `{ os: ["win32"], cpu: ["x64"] }`. */
function platformOf(name: string): Required<Pick<Entry, "os" | "cpu" | "libc">> {
  const words = name.split(/[-/]/).map((word) => aliases[word] ?? word);
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  if (os.length + cpu.length === 0) throw new Error(`No platform can be told from the name of the optional package ${name}`);
  const libc = os[0] !== "linux" ? [] : words.some((word) => word.startsWith("musl")) ? ["musl"] : ["glibc"];
  return { os, cpu, libc };
}

let added = 0;
for (const dependent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(dependent.optionalDependencies ?? {})) {
    if (Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`))) continue;
    const { os, cpu, libc } = platformOf(name);
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(dependent.dev && { dev: true }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      ...(os.length > 0 && { os }),
    };
    added++;
  }
}
const packages = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
console.log(`package-lock.json: ${added} packages of other platforms added`);
