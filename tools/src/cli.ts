#!/usr/bin/env node
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { type StartOptions, startBrokers, statusOfBrokers, stopBrokers } from "./commands.ts";
import type { BrokerKind } from "./record.ts";

const kinds = () =>
  new Argument("[broker...]", "kafka, rabbitmq").choices(["kafka", "rabbitmq"]).default(["kafka", "rabbitmq"], "both");

const program = new Command("brokers")
  .description("Real brokers on this machine, for tests and for trying things out")
  .showHelpAfterError();

program
  .command("start", { isDefault: true })
  .description("start brokers that run until they are stopped; those that run already are kept")
  .addArgument(kinds())
  .option("--nodes <count>", "1 or 3 nodes a broker", parseNodes, 1)
  .addOption(
    new Option("--rabbitmq <version>", "the installed server, or a 4.x").choices(["installed", "4"]).default("installed"),
  )
  .option("--dir <path>", "keep configuration, logs and data here")
  .option("--json", "print the result as JSON", false)
  .action((brokers: BrokerKind[], options: StartOptions) => startBrokers(brokers, options));

program
  .command("stop")
  .description("end brokers that were started here; their data goes, unless it has a --dir")
  .addArgument(kinds())
  .option("--json", "print the result as JSON", false)
  .action((brokers: BrokerKind[], options: { json: boolean }) => stopBrokers(brokers, options));

program
  .command("status")
  .description("list the brokers that run, those of test runs included")
  .option("--json", "print the result as JSON", false)
  .action((options: { json: boolean }) => statusOfBrokers(options));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function parseNodes(value: string): 1 | 3 {
  if (value === "1") return 1;
  if (value === "3") return 3;
  throw new InvalidArgumentError("It is 1 or 3.");
}
