import { Readable } from "node:stream";
import { FlareError } from "@flare-ts/contracts";
import { type AuditEntry, exportAudit, listAudit } from "../contract/audit.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { type AuditCursor, type AuditFilter, findAudit } from "./audit-query.js";
import { csvHeader, csvLine } from "./csv-line.js";

const exportPage = 1000;

/** Reading the audit trail. */
export function implementAudit({ db, audit }: DashboardParts): readonly Implementation[] {
  return [
    implement(listAudit, async ({ query }) => {
      const { cursor, limit = 100, ...filter } = query;
      const below = cursor === undefined ? undefined : cursorOf(cursor);
      // One more than asked for tells whether there is another page.
      const found = await findAudit(db, filter, { below, limit: limit + 1 });
      const entries = found.slice(0, limit);
      const last = entries.at(-1);
      return { entries, nextCursor: found.length > limit && last !== undefined ? `${last.atMs}.${last.id}` : null };
    }),
    implement(exportAudit, async ({ actor, query }) => {
      const { format = "csv", ...filter } = query;
      await audit.write(db, { actor, action: "audit.export", subject: format });
      const isCsv = format === "csv";
      return {
        headers: {
          "content-type": isCsv ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8",
          "content-disposition": `attachment; filename="audit.${format}"`,
        },
        body: Readable.from(isCsv ? csvLines(all(filter)) : jsonLines(all(filter)), { objectMode: false, encoding: "utf8" }),
      };
    }),
  ];

  async function* all(filter: AuditFilter): AsyncGenerator<AuditEntry> {
    let below: AuditCursor | undefined;
    for (;;) {
      const entries = await findAudit(db, filter, { below, limit: exportPage });
      yield* entries;
      const last = entries.at(-1);
      if (last === undefined || entries.length < exportPage) return;
      below = { atMs: last.atMs, id: last.id };
    }
  }
}

async function* csvLines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  yield csvHeader;
  for await (const entry of entries) yield csvLine(entry);
}

async function* jsonLines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}

function cursorOf(text: string): AuditCursor {
  const [, at, id] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(text) ?? [];
  if (at === undefined || id === undefined) {
    throw new FlareError("dashboard/invalid-request", "The cursor is not one that this list gave.", {
      problems: [{ path: "query.cursor", message: "is not one that this list gave" }],
    });
  }
  return { atMs: Number(at), id };
}
