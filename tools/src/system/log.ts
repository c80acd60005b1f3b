/** Takes one line of progress. */
export type Log = (line: string) => void;

/** Writes progress to stderr, so that stdout holds results alone. */
export const logToStderr: Log = (line) => process.stderr.write(`${line}\n`);
