import { benchmarks } from "./benchmarks/index.ts";
import { Brokers } from "./brokers.ts";
import type { Figure } from "./figure.ts";
import { readOptions } from "./options.ts";
import { list, render } from "./report.ts";

const { name, transport, messages, pairs, json } = readOptions(process.argv.slice(2));

if (name === undefined) {
  console.log(list(benchmarks));
} else {
  const chosen = benchmarks.filter((one) => one.suite === name || `${one.name}.`.startsWith(`${name}.`));
  try {
    if (chosen.length === 0) throw new Error(`There is no benchmark "${name}". Without a name they are listed.`);
    await using brokers = new Brokers(transport);
    const figures: Figure[] = [];
    for (const { name, broker, defaults, run } of chosen) {
      const found = await brokers.find(broker);
      if ("reason" in found) {
        console.error(`${name} is left out: ${found.reason}`);
        continue;
      }
      if (!json) console.error(`${name} …`);
      const made = await run({ url: found.url, messages: messages ?? defaults.messages, pairs: pairs ?? defaults.pairs });
      if (json) for (const figure of made) console.log(JSON.stringify(figure));
      figures.push(...made);
    }
    if (!json && figures.length > 0) console.log(render(figures));
    if (figures.length === 0) process.exitCode = 1;
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof Error && error.constructor === Error ? error.message : error);
  }
}
