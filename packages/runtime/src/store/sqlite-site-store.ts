import type { ContentHash } from "@flare-ts/contracts";
import { openSqliteFile, type SqliteFile, type SqliteRow } from "@flare-ts/sqlite/file";
import type { TaskKey } from "../job/job-event.js";
import type { ObjectRef } from "./model-store.js";
import { type PrivacyCost, type PrivacySpent, withCost } from "./privacy-cost.js";
import type { ClearUpdate, RoundAdvance, SecureRound, SiteResult, SiteStore } from "./site-store.js";
import { siteMigrations } from "./sql/site-migrations.js";

/**
 * Opens a site's store in one SQLite file, readable by its owner only; file and folder are made when they do not exist.
 *
 * @throws FlareError `store/unusable` when the file is damaged, locked, not a database, or from a newer version.
 */
export async function openSqliteSiteStore(init: { readonly path: string }): Promise<SiteStore> {
  return new SqliteSiteStore({ file: await openSqliteFile({ path: init.path, migrations: siteMigrations }) });
}

/** Statements as they are: a machine with many sites has no memory for a query builder in each of their processes. */
class SqliteSiteStore implements SiteStore {
  readonly #file: SqliteFile;

  constructor(components: { readonly file: SqliteFile }) {
    this.#file = components.file;
  }

  async addResult(result: SiteResult): Promise<SiteResult | undefined> {
    const file = this.#file;
    return file.transaction(() => {
      const existing = this.#find(result);
      if (existing !== undefined) return existing;
      // A dying job process may still hand one over. Nobody waits for it, and what it costs of privacy was for an answer that was dropped.
      if (this.#isEnded(result.jobId)) return undefined;
      file.run(
        `insert into results (job_id, round, task, position, update_hash, update_size, params_type, weight, metrics, meta,
           is_acknowledged, base_hash, base_size, update_bytes)
         values (?, ?, ?, (select coalesce(max(position), 0) + 1 from results), ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
        ...keyOf(result),
        result.update.hash,
        result.update.size,
        result.paramsType,
        result.weight,
        JSON.stringify(result.metrics),
        JSON.stringify(result.meta),
        result.base?.hash ?? null,
        result.base?.size ?? null,
        result.bytes ?? null,
      );
      return result;
    });
  }

  async result(key: TaskKey): Promise<SiteResult | undefined> {
    return this.#find(key);
  }

  async pendingResults(): Promise<readonly SiteResult[]> {
    return this.#file.all("select * from results where is_acknowledged = 0 order by position").map(resultFromRow);
  }

  async lastBase(jobId: string): Promise<ObjectRef | undefined> {
    const row = this.#file.first("select base_hash, base_size from results where job_id = ? order by position desc limit 1", jobId);
    return row === undefined ? undefined : baseFromRow(row);
  }

  async acknowledge(key: TaskKey): Promise<void> {
    const isThisTask = "job_id = ? and round = ? and task = ?";
    const isSmall = this.#file.first(`select 1 from results where ${isThisTask} and update_bytes is not null`, ...keyOf(key)) !== undefined;
    const sql = `update results set is_acknowledged = 1, update_bytes = null where ${isThisTask}`;
    if (isSmall) this.#file.runWithoutWaiting(sql, ...keyOf(key));
    else this.#file.run(sql, ...keyOf(key));
  }

  async privacySpent(scope: string): Promise<PrivacySpent> {
    return spentFromRow(this.#file.first(spentBy, scope));
  }

  async spendPrivacy(
    key: TaskKey,
    { scope, cost, allows }: { readonly scope: string; readonly cost: PrivacyCost; readonly allows: (together: PrivacySpent) => boolean },
  ): Promise<boolean> {
    return this.#file.transaction(() => {
      // Nothing more leaves for this task, and what it has cost stays as it is.
      if (this.#find(key) !== undefined || this.#isEnded(key.jobId)) return allows(spentFromRow(this.#file.first(spentBy, scope)));
      const others = `${spentBy} and not (job_id = ? and round = ? and task = ?)`;
      if (!allows(withCost(spentFromRow(this.#file.first(others, scope, ...keyOf(key))), cost))) return false;
      this.#file.run(
        `insert into privacy_spent (job_id, round, task, scope, cost, epsilon) values (?, ?, ?, ?, ?, ?)
           on conflict (job_id, round, task) do update set scope = excluded.scope, cost = excluded.cost, epsilon = excluded.epsilon`,
        ...keyOf(key),
        scope,
        cost.rho,
        cost.epsilon,
      );
      return true;
    });
  }

  async maskSecret(jobId: string, fresh: () => Uint8Array): Promise<Uint8Array | undefined> {
    return this.#file.transaction(() => {
      const secret = this.#file.first("select secret from secure_jobs where job_id = ?", jobId)?.["secret"];
      if (secret instanceof Uint8Array) return secret;
      if (this.#isEnded(jobId)) return undefined;
      const made = fresh();
      this.#file.run("insert into secure_jobs (job_id, secret) values (?, ?)", jobId, made);
      return made;
    });
  }

  async keepClear(update: ClearUpdate): Promise<SecureRound | undefined> {
    return this.#file.transaction(() => {
      const { jobId, round, task, clear, weight, metrics, base } = update;
      if (this.#isEnded(jobId)) return undefined;
      this.#file.run(
        `insert into secure_rounds (job_id, round, task, clear_hash, clear_size, weight, metrics, base_hash, base_size, attempt, is_revealed)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, -1, 0) on conflict (job_id, round) do nothing`,
        jobId,
        round,
        task,
        clear.hash,
        clear.size,
        weight,
        JSON.stringify(metrics),
        base.hash,
        base.size,
      );
      return this.#secureRound(jobId, round);
    });
  }

  async secureRound(jobId: string, round: number): Promise<SecureRound | undefined> {
    return this.#secureRound(jobId, round);
  }

  async secureRounds(): Promise<readonly SecureRound[]> {
    return this.#file
      .all("select * from secure_rounds as one where round = (select max(round) from secure_rounds where job_id = one.job_id)")
      .map(secureRoundFromRow);
  }

  async advanceRound({ jobId, round }: { readonly jobId: string; readonly round: number }, advance: RoundAdvance): Promise<boolean> {
    return this.#file.transaction(() => {
      const known = this.#secureRound(jobId, round);
      if (known === undefined) return false;
      const { attempt } = advance;
      if (advance.to === "masked") {
        if (known.attempt === attempt) return known.roster === advance.roster && known.masked === advance.masked;
        if (known.isRevealed || attempt < known.attempt) return false;
        this.#file.run(
          "update secure_rounds set attempt = ?, roster_hash = ?, masked_hash = ?, statement = null where job_id = ? and round = ?",
          attempt,
          advance.roster,
          advance.masked,
          jobId,
          round,
        );
        return true;
      }
      if (known.attempt !== attempt) return false;
      const isSigned = known.statement === advance.statement;
      if (advance.to === "confirmed" ? known.statement !== undefined : !isSigned || known.isRevealed) return isSigned;
      if (advance.to === "revealed")
        this.#file.run("update secure_rounds set is_revealed = 1 where job_id = ? and round = ?", jobId, round);
      else this.#file.run("update secure_rounds set statement = ? where job_id = ? and round = ?", advance.statement, jobId, round);
      return true;
    });
  }

  async endJob(jobId: string): Promise<void> {
    this.#file.transaction(() => {
      // A page of the file may keep what is only deleted.
      this.#file.run("update secure_jobs set secret = zeroblob(32) where job_id = ?", jobId);
      this.#file.run("delete from secure_jobs where job_id = ?", jobId);
      this.#file.run("delete from secure_rounds where job_id = ?", jobId);
      this.#file.run("insert into ended_jobs (job_id) values (?) on conflict (job_id) do nothing", jobId);
      this.#file.run("delete from results where job_id = ?", jobId);
    });
  }

  async hasEnded(jobId: string): Promise<boolean> {
    return this.#isEnded(jobId);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #find(key: TaskKey): SiteResult | undefined {
    const row = this.#file.first("select * from results where job_id = ? and round = ? and task = ?", ...keyOf(key));
    return row === undefined ? undefined : resultFromRow(row);
  }

  #secureRound(jobId: string, round: number): SecureRound | undefined {
    const row = this.#file.first("select * from secure_rounds where job_id = ? and round = ?", jobId, round);
    return row === undefined ? undefined : secureRoundFromRow(row);
  }

  #isEnded(jobId: string): boolean {
    return this.#file.first("select job_id from ended_jobs where job_id = ?", jobId) !== undefined;
  }
}

/** What a scope has spent. */
const spentBy = `select coalesce(sum(cost), 0) as rho, coalesce(sum(epsilon), 0) as epsilon, coalesce(sum(epsilon * epsilon), 0) as squares
  from privacy_spent where scope = ?`;

function spentFromRow(row: SqliteRow | undefined): PrivacySpent {
  return { rho: Number(row?.["rho"] ?? 0), epsilon: Number(row?.["epsilon"] ?? 0), squares: Number(row?.["squares"] ?? 0) };
}

function keyOf({ jobId, round, task }: TaskKey): readonly [string, number, string] {
  return [jobId, round, task];
}

/** Columns have the types that `addResult` wrote; whole numbers stay far below 2^53. */
function resultFromRow(row: SqliteRow): SiteResult {
  const base = baseFromRow(row);
  const { update_bytes: bytes } = row;
  return {
    jobId: String(row["job_id"]),
    round: Number(row["round"]),
    task: String(row["task"]),
    update: { hash: String(row["update_hash"]) as ContentHash, size: Number(row["update_size"]) },
    paramsType: row["params_type"] as SiteResult["paramsType"],
    weight: Number(row["weight"]),
    metrics: JSON.parse(String(row["metrics"])) as SiteResult["metrics"],
    meta: JSON.parse(String(row["meta"])) as SiteResult["meta"],
    ...(base === undefined ? {} : { base }),
    ...(bytes instanceof Uint8Array ? { bytes } : {}),
  };
}

function secureRoundFromRow(row: SqliteRow): SecureRound {
  const { roster_hash: roster, masked_hash: masked, statement } = row;
  return {
    jobId: String(row["job_id"]),
    round: Number(row["round"]),
    task: String(row["task"]),
    clear: { hash: String(row["clear_hash"]) as ContentHash, size: Number(row["clear_size"]) },
    weight: Number(row["weight"]),
    metrics: JSON.parse(String(row["metrics"])) as SecureRound["metrics"],
    base: { hash: String(row["base_hash"]) as ContentHash, size: Number(row["base_size"]) },
    attempt: Number(row["attempt"]),
    roster: typeof roster === "string" ? (roster as ContentHash) : undefined,
    masked: typeof masked === "string" ? (masked as ContentHash) : undefined,
    statement: typeof statement === "string" ? statement : undefined,
    isRevealed: Number(row["is_revealed"]) === 1,
  };
}

function baseFromRow(row: SqliteRow): ObjectRef | undefined {
  const { base_hash: hash, base_size: size } = row;
  return typeof hash !== "string" || size === null ? undefined : { hash: hash as ContentHash, size: Number(size) };
}
