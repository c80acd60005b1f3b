import { connectingSabotages } from "./connecting.ts";
import { consumingSabotages } from "./consuming.ts";
import { contentsSabotages } from "./contents.ts";
import { namingSabotages } from "./naming.ts";
import { publishingSabotages } from "./publishing.ts";
import type { Sabotage } from "./sabotage.ts";

/** Each breaks one promise. */
export const sabotages: readonly Sabotage[] = [
  ...publishingSabotages,
  ...consumingSabotages,
  ...namingSabotages,
  ...contentsSabotages,
  ...connectingSabotages,
];
