import type { ContentHash } from "@flare-ts/contracts";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from "kysely";
import type { TaskKey } from "../../job/job-event.js";
import type { ObjectRef } from "../model-store.js";
import type { SiteResult, SiteStore } from "../site-store.js";
import { fromJsonText, toJsonText, toNumber } from "./columns.js";
import type { ResultsTable, SiteTables } from "./site-tables.js";

/** A site's store over a SQL database. */
export class SqlSiteStore implements SiteStore {
  readonly #db: Kysely<SiteTables>;

  constructor(components: { readonly db: Kysely<SiteTables> }) {
    this.#db = components.db;
  }

  async addResult(result: SiteResult): Promise<SiteResult> {
    return this.#db.transaction().execute(async (db) => {
      const existing = await db.selectFrom("results").selectAll().where(isResult(result)).executeTakeFirst();
      if (existing !== undefined) return resultFromRow(existing);
      const ended = await db.selectFrom("ended_jobs").select("job_id").where("job_id", "=", result.jobId).executeTakeFirst();
      // Nobody waits for a result that a dying job process hands over after the end of its job.
      if (ended !== undefined) return result;
      const last = await db
        .selectFrom("results")
        .select(({ fn }) => fn.max("position").as("position"))
        .executeTakeFirst();
      await db
        .insertInto("results")
        .values({
          job_id: result.jobId,
          round: result.round,
          task: result.task,
          position: toNumber(last?.position ?? 0) + 1,
          update_hash: result.update.hash,
          update_size: result.update.size,
          params_type: result.paramsType,
          weight: result.weight,
          metrics: toJsonText(result.metrics),
          meta: toJsonText(result.meta),
          is_acknowledged: 0,
          base_hash: result.base?.hash ?? null,
          base_size: result.base?.size ?? null,
        })
        .execute();
      return result;
    });
  }

  async result(key: TaskKey): Promise<SiteResult | undefined> {
    const row = await this.#db.selectFrom("results").selectAll().where(isResult(key)).executeTakeFirst();
    return row === undefined ? undefined : resultFromRow(row);
  }

  async pendingResults(): Promise<readonly SiteResult[]> {
    const rows = await this.#db.selectFrom("results").selectAll().where("is_acknowledged", "=", 0).orderBy("position").execute();
    return rows.map(resultFromRow);
  }

  async lastBase(jobId: string): Promise<ObjectRef | undefined> {
    const row = await this.#db
      .selectFrom("results")
      .select(["base_hash", "base_size"])
      .where("job_id", "=", jobId)
      .orderBy("position", "desc")
      .executeTakeFirst();
    return row === undefined ? undefined : baseFromRow(row);
  }

  async acknowledge(key: TaskKey): Promise<void> {
    await this.#db.updateTable("results").set({ is_acknowledged: 1 }).where(isResult(key)).execute();
  }

  async endJob(jobId: string): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      await db
        .insertInto("ended_jobs")
        .values({ job_id: jobId })
        .onConflict((conflict) => conflict.column("job_id").doNothing())
        .execute();
      await db.deleteFrom("results").where("job_id", "=", jobId).execute();
    });
  }

  async hasEnded(jobId: string): Promise<boolean> {
    const row = await this.#db.selectFrom("ended_jobs").select("job_id").where("job_id", "=", jobId).executeTakeFirst();
    return row !== undefined;
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

function isResult(key: TaskKey): (eb: ExpressionBuilder<SiteTables, "results">) => Expression<SqlBool> {
  return (eb) => eb.and({ job_id: key.jobId, round: key.round, task: key.task });
}

function resultFromRow(row: Selectable<ResultsTable>): SiteResult {
  const base = baseFromRow(row);
  return {
    jobId: row.job_id,
    round: row.round,
    task: row.task,
    update: { hash: row.update_hash as ContentHash, size: toNumber(row.update_size) },
    paramsType: row.params_type,
    weight: row.weight,
    metrics: fromJsonText(row.metrics) as SiteResult["metrics"],
    meta: fromJsonText(row.meta) as SiteResult["meta"],
    ...(base === undefined ? {} : { base }),
  };
}

function baseFromRow({
  base_hash: hash,
  base_size: size,
}: Pick<Selectable<ResultsTable>, "base_hash" | "base_size">): ObjectRef | undefined {
  return hash === null || size === null ? undefined : { hash: hash as ContentHash, size: toNumber(size) };
}
