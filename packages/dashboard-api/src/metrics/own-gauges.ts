import type { Database } from "../db/tables.js";
import type { Sessions } from "../people/sessions.js";
import type { Metrics } from "./metrics.js";

/** Adds what there is to know of the process and its people. */
export function addOwnGauges(metrics: Metrics, { db, sessions }: { readonly db: Database; readonly sessions: Sessions }): void {
  metrics.gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss());
  metrics.gauge("process_uptime_seconds", "How long the process runs.", () => process.uptime());
  metrics.gauge("flare_dashboard_people", "People by state.", async () => {
    const rows = await db
      .selectFrom("people")
      .select((row) => ["state", row.fn.countAll<number>().as("count")])
      .groupBy("state")
      .execute();
    return Object.fromEntries(rows.map(({ state, count }) => [`state="${state}"`, count]));
  });
  metrics.gauge("flare_dashboard_sessions", "Sessions that have not come to their end.", () => sessions.countLiving());
}
