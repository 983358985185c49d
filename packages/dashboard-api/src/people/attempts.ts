import { FlareError } from "@flare-ts/contracts";
import { sql } from "kysely";
import type { Database } from "../db/tables.js";
import type { Vault } from "../secrets/vault.js";

/** How failures make the next attempt wait. */
interface AttemptRule {
  /** So many failures cost nothing. */
  readonly free: number;
  /** The first wait; it doubles with each failure. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Without a failure for so long, all is forgotten. */
  readonly forgottenAfterMs: number;
}

const day = 24 * 3_600_000;

/** What is counted, each by its own rule. */
const rules = {
  /** Sign-ins to an account, whether it exists or not, from one network address: about 40 a day. */
  "account-from-address": { free: 5, firstWaitMs: 2000, longestWaitMs: 3_600_000, forgottenAfterMs: day },
  /** Sign-ins to an account from all addresses together (NIST SP 800-63B-4, 3.2.2: 100 at the most). */
  account: { free: 100, firstWaitMs: 2000, longestWaitMs: 15 * 60_000, forgottenAfterMs: day },
  /** Sign-ins to an account from a browser that its holder has used before. */
  device: { free: 5, firstWaitMs: 2000, longestWaitMs: 15 * 60_000, forgottenAfterMs: day },
  /** The password of who is signed in, asked once more. */
  "own-password": { free: 5, firstWaitMs: 2000, longestWaitMs: 15 * 60_000, forgottenAfterMs: day },
  /** Sign-ins from a network address: a whole hospital may share one. */
  address: { free: 30, firstWaitMs: 2000, longestWaitMs: 15 * 60_000, forgottenAfterMs: day },
  /** Codes of a second factor. */
  code: { free: 5, firstWaitMs: 5000, longestWaitMs: 3_600_000, forgottenAfterMs: day },
  /** Letters about a forgotten password. */
  reset: { free: 2, firstWaitMs: 5 * 60_000, longestWaitMs: 3_600_000, forgottenAfterMs: day },
  /** Addresses tried with an invitation. */
  invitation: { free: 5, firstWaitMs: 60_000, longestWaitMs: 3_600_000, forgottenAfterMs: day },
} as const satisfies Record<string, AttemptRule>;

/** What an attempt is counted by. */
export interface AttemptKey {
  readonly kind: keyof typeof rules;
  readonly value: string;
}

/** Counts attempts and makes them wait: an attempt counts as failed until it has succeeded, so that a burst gains nothing. */
export class Attempts {
  readonly #db: Database;
  readonly #vault: Vault;
  readonly #now: () => number;
  #sweptAtMs = 0;

  constructor(components: { readonly db: Database; readonly vault: Vault; readonly now: () => number }) {
    this.#db = components.db;
    this.#vault = components.vault;
    this.#now = components.now;
  }

  /**
   * Begins an attempt.
   *
   * @throws FlareError `dashboard/too-many-attempts` while earlier failures make it wait
   */
  async begin(...keys: readonly AttemptKey[]): Promise<void> {
    await this.#sweep();
    for (const key of keys) await this.#count(key);
  }

  /** Says that an attempt succeeded: an account's failures are forgotten, those of an address lessened by this one. */
  async succeed(...keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) {
      const row = this.#rowKey(key);
      if (key.kind === "address") {
        await this.#db.updateTable("attempts").set({ failures: sql`failures - 1`, blocked_until_ms: 0 }).where("key", "=", row).execute();
      } else await this.#db.deleteFrom("attempts").where("key", "=", row).execute();
    }
  }

  /** One statement: of many attempts at the same moment each sees the count of the one before. */
  async #count(key: AttemptKey): Promise<void> {
    const now = this.#now();
    const rule = rules[key.kind];
    const failures = sql<number>`case when attempts.last_at_ms < ${now - rule.forgottenAfterMs} then 1 else attempts.failures + 1 end`;
    const rowKey = this.#rowKey(key);
    const counted = await this.#db
      .insertInto("attempts")
      .values({ key: rowKey, failures: 1, last_at_ms: now, blocked_until_ms: 0 })
      .onConflict((conflict) =>
        conflict
          .column("key")
          .doUpdateSet({ failures, last_at_ms: now, blocked_until_ms: sql<number>`cast(${now} as bigint) + ${waitAfter(rule, failures)}` })
          .where("attempts.blocked_until_ms", "<=", now),
      )
      .returning("key")
      .executeTakeFirst();
    if (counted !== undefined) return;
    const row = await this.#db.selectFrom("attempts").select("blocked_until_ms").where("key", "=", rowKey).executeTakeFirst();
    const retryAfterMs = Math.max(1000, (row?.blocked_until_ms ?? 0) - now);
    throw new FlareError("dashboard/too-many-attempts", `Too many attempts failed; wait ${durationText(retryAfterMs)}.`, {
      facts: { retryAfterMs },
    });
  }

  async #sweep(): Promise<void> {
    const now = this.#now();
    if (now - this.#sweptAtMs < 60_000) return;
    this.#sweptAtMs = now;
    await this.#db
      .deleteFrom("attempts")
      .where("last_at_ms", "<", now - day)
      .execute();
  }

  /** What somebody typed into the field may be a password: only a keyed hash is kept. */
  #rowKey({ kind, value }: AttemptKey): string {
    return this.#vault.mac("attempts", `${kind}:${value}`);
  }
}

/** The wait after so many failures, as SQL that both databases know: neither `least` nor powers. */
function waitAfter(rule: AttemptRule, failures: ReturnType<typeof sql<number>>): ReturnType<typeof sql<number>> {
  const steps: { readonly failures: number; readonly waitMs: number }[] = [];
  for (let n = rule.free, waitMs = rule.firstWaitMs; ; n++, waitMs *= 2) {
    steps.unshift({ failures: n, waitMs: Math.min(waitMs, rule.longestWaitMs) });
    if (waitMs >= rule.longestWaitMs) break;
  }
  const cases = steps.map((step) => sql`when ${failures} >= ${sql.lit(step.failures)} then ${sql.lit(step.waitMs)}`);
  return sql<number>`case ${sql.join(cases, sql` `)} else 0 end`;
}

function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
