import { Command, InvalidArgumentError, Option } from "commander";

/** What the command line says. */
export interface Options {
  readonly transport: string;
  readonly limit?: number;
  readonly rate?: number;
  /** @default one that no other run has */
  readonly prefix?: string;
  readonly port: number;
  readonly serve: boolean;
  readonly json: boolean;
  readonly progress: boolean;
  readonly verbose: boolean;
}

/** Reads the arguments after the program's name; ends the process on `--help` and on what makes no sense. */
export function readOptions(args: readonly string[]): Options {
  return new Command("demo")
    .description("Departures: feeds 20,000 real flights through a REST API, topics and groups, and checks what comes of them.")
    .addOption(new Option("--transport <url>", "broker to run on").env("WAYBILL_TRANSPORT").default("memory:"))
    .option("--limit <n>", "feed only the first n flights", whole)
    .option("--rate <n>", "feed about n flights a second instead of as many as go", positive)
    .option(
      "--prefix <text>",
      "in front of every name on the broker, where they then stay (default: a new one for each run, removed at the end)",
    )
    .option("--port <n>", "port of the API; 0 takes one that is free", whole, 0)
    .option("--serve", "keep the API and the services up until interrupted", false)
    .option("--json", "print the result as JSON, with all airports", false)
    .option("--no-progress", "draw no progress bar")
    .option("--verbose", "write what the buses log to standard error", false)
    .parse(args, { from: "user" })
    .opts<Options>();
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It takes a whole number.");
  return Number(text);
}

function positive(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("It takes a number above 0.");
  return value;
}
