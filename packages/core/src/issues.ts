import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A schema's issues in one line, each with its path: `total: expected number; lines.0.sku: required`. */
export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, 5).map(({ message, path }) => {
    const where = path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".");
    return where ? `${where}: ${message}` : message;
  });
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`);
  return shown.join("; ");
}
