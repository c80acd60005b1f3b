import { readFile } from "node:fs/promises";
import { Flight } from "./contracts.ts";

const FILE = new URL("../data/flights-20k.json", import.meta.resolve("vega-datasets"));

/** The first `limit` US domestic flights of the file, of the first quarter of 2001, in order of departure. @default all 20,000 */
export async function readFlights(limit?: number): Promise<Flight[]> {
  const rows: object[] = JSON.parse(await readFile(FILE, "utf8"));
  return rows.slice(0, limit).map((row, id) => Flight.parse({ id, ...row }));
}
