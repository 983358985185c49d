import type { AuditEntry } from "../contract/audit.js";

/** The first line of an exported audit trail. */
export const csvHeader = "time,actor,action,subject,outcome,address,facts\r\n";

/**
 * One entry as a line of CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it: names
 * come from people whom the reader need not trust.
 */
export function csvLine(entry: AuditEntry): string {
  const { atMs, actor, action, subject, outcome, address, facts } = entry;
  const fields = [new Date(atMs).toISOString(), actor, action, subject, outcome, address, JSON.stringify(facts)];
  return `${fields.map(csvField).join(",")}\r\n`;
}

function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
