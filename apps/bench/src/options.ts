import { Command, InvalidArgumentError } from "commander";

/** What the command line says. */
export interface Options {
  /** A benchmark, a suite, or the first parts of a name; without one they are listed. */
  readonly name: string | undefined;
  readonly transport: readonly string[] | undefined;
  readonly messages: number | undefined;
  readonly pairs: number | undefined;
  readonly json: boolean;
}

/** Reads the arguments after the program's name; ends the process on `--help` and on what makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const command = new Command("bench")
    .description("Measures Waybill against the raw clients, in interleaved pairs within one run.")
    .argument(
      "[name]",
      "a benchmark, a suite (dispatch, publish, consume, backlog), or the first parts of a name; none lists them",
    )
    .option("--transport <url...>", "brokers to measure on, and no others (default: those that are found, or can be started)")
    .option("--messages <n>", "what a side handles in one go, in place of each benchmark's own number", count)
    .option("--pairs <n>", "pairs of ours and theirs, in place of each benchmark's own number", count)
    .option("--json", "print one JSON object a figure", false)
    .parse(args, { from: "user" });
  return { name: command.args[0], ...command.opts<Omit<Options, "name">>() };
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It takes a whole number from 1.");
  return Number(text);
}
