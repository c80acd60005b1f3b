import { destroy, readRecord } from "./record.ts";

const file = process.argv[2];
if (file === undefined) throw new Error("usage: guard-main.ts RECORD");

process.stdin.resume().once("close", async () => {
  const record = readRecord(file);
  if (record) await destroy(record);
});
