import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The compilers that must accept what a user writes, by the name of their package. */
export const compilers = ["typescript", "typescript-5.9"];

/** An empty folder for an application, gone again when disposed. */
export function scratchFolder() {
  const path = mkdtempSync(join(tmpdir(), "waybill-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const execute = promisify(execFile);

/** Runs a program to its end and gives what it printed; its output is in the error if it fails. */
export async function run(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  try {
    return (await execute(command, args, { cwd, env: { ...process.env, ...env }, timeout: 120_000 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}`);
  }
}

/** Checks all TypeScript files of `folder` with one of the `compilers`. */
export async function typeCheck(folder: string, compiler: string, compilerOptions: object): Promise<void> {
  const config = {
    compilerOptions: {
      ...{ module: "nodenext", target: "es2024", lib: ["es2024", "esnext.disposable"], strict: true, noEmit: true },
      ...{ allowImportingTsExtensions: true, types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
      ...compilerOptions,
    },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  await run(folder, "node", [join(root, "node_modules", compiler, "bin/tsc"), "-p", "."]);
}
