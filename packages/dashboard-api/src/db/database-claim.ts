import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import type { FastifyBaseLogger } from "fastify";
import { Client } from "pg";

/** A dashboard that was killed has let go by then: its connection ends with it. */
const waitForOtherMs = 5000;
/** Work waits so long for a claim that was lost with its connection. */
const waitForClaimMs = 10_000;
const longestPauseMs = 5000;

type ClaimState = "held" | "lost" | "taken" | "released";

/**
 * Claims a PostgreSQL database for one dashboard: an advisory lock that a connection of its own holds, so that it is given up when the
 * process ends, however it ends. When the connection breaks, the claim is taken again as soon as the database is there; work waits
 * meanwhile. When another dashboard has the database by then, this one does not touch it any more.
 */
export class DatabaseClaim {
  readonly #url: string;
  readonly #logger: FastifyBaseLogger;
  readonly #over = new AbortController();
  readonly #waiting = new Set<() => void>();
  #client: Client | undefined;
  #state: ClaimState = "lost";

  private constructor(components: { readonly logger: FastifyBaseLogger }, init: { readonly databaseUrl: string }) {
    this.#logger = components.logger;
    this.#url = init.databaseUrl;
  }

  /**
   * Takes the claim.
   *
   * @throws FlareError `dashboard/already-running` when another dashboard has the database, and whatever the driver throws
   */
  static async take(components: { readonly logger: FastifyBaseLogger }, init: { readonly databaseUrl: string }): Promise<DatabaseClaim> {
    const claim = new DatabaseClaim(components, init);
    await claim.#lock();
    return claim;
  }

  /**
   * Ends when the database is claimed.
   *
   * @throws FlareError `dashboard/database-unusable` when it was not within a few seconds, or is another dashboard's by now
   */
  async held(): Promise<void> {
    if (this.#state === "held") return;
    if (this.#state === "lost") {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => wake(), waitForClaimMs);
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
    if (this.isHeld) return;
    throw new FlareError(
      "dashboard/database-unusable",
      this.#state === "taken"
        ? "Another dashboard has taken the PostgreSQL database over; stop one of the two."
        : "The connection to the PostgreSQL database is lost.",
    );
  }

  /** Whether the database is claimed at this moment. */
  get isHeld(): boolean {
    return this.#state === "held";
  }

  /** Gives the claim up. */
  async release(): Promise<void> {
    this.#become("released");
    this.#over.abort();
    await this.#client?.end().catch(() => undefined);
  }

  async #lock(): Promise<void> {
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 10_000,
      application_name: ownName(),
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      // A machine that vanished holds the lock until the database notices; its default is two hours.
      await client.query("set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3");
      await client.query(`set lock_timeout = ${waitForOtherMs}`);
      await client.query(`select pg_advisory_lock(${lockKey})`);
    } catch (reason) {
      const isTaken = (reason as { code?: unknown }).code === "55P03";
      const holder = isTaken ? await holderOf(client) : "";
      await client.end().catch(() => undefined);
      if (!isTaken) throw reason;
      throw new FlareError("dashboard/already-running", `${holder} works on this PostgreSQL database.`, { cause: reason });
    }
    if (this.#state === "released") {
      await client.end().catch(() => undefined);
      return;
    }
    this.#client = client;
    client.once("end", () => void this.#lost());
    this.#become("held");
  }

  async #lost(): Promise<void> {
    if (this.#state !== "held") return;
    this.#become("lost");
    this.#logger.warn("the connection that claims the database is lost; it is made again");
    const { signal } = this.#over;
    for (let pauseMs = 50; this.#isLost(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#lock();
      } catch (reason) {
        if (reason instanceof FlareError && reason.code === "dashboard/already-running") {
          this.#become("taken");
          this.#logger.error(
            { code: reason.code, reason: reason.message },
            "another dashboard has taken the database; this one stops using it",
          );
          return;
        }
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  #isLost(): boolean {
    return this.#state === "lost";
  }

  #become(state: ClaimState): void {
    if (this.#state === "released") return;
    this.#state = state;
    if (state !== "lost") for (const wake of this.#waiting) wake();
  }
}

/** One for each schema: dashboards may share a database, though not its tables. */
const lockKey = "hashtextextended('flare dashboard in ' || current_schema(), 0)";

/** At most 63 characters are kept of it. */
function ownName(): string {
  return `flare dashboard, process ${process.pid} on ${hostname()}`;
}

async function holderOf(client: Client): Promise<string> {
  const found = await client
    .query<{ application_name: string }>(
      `select application_name from pg_stat_activity join pg_locks using (pid)
       where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
       and ((classid::bigint << 32) | objid::bigint) = ${lockKey}`,
    )
    .catch(() => undefined);
  const name = found?.rows[0]?.application_name ?? "";
  return name === "" ? "Another dashboard" : `The ${name}`;
}
