import type { Database } from "../db/tables.js";
import { createId, createToken, hashToken, type RandomBytes } from "../secrets/tokens.js";
import type { OneTimeLinksTable } from "./people-tables.js";

/** Makes and takes links that work once. */
export class OneTimeLinks {
  readonly #now: () => number;
  readonly #randomBytes: RandomBytes;

  constructor(components: { readonly now: () => number; readonly randomBytes: RandomBytes }) {
    this.#now = components.now;
    this.#randomBytes = components.randomBytes;
  }

  /** Makes a link's token; earlier ones of the same kind and person stop working. */
  async create(
    db: Database,
    init: {
      readonly kind: OneTimeLinksTable["kind"];
      readonly personId: string | null;
      /** Nobody is shown the link: it goes out by mail or not at all. */
      readonly isMailed: boolean;
      readonly expiresAtMs: number;
    },
  ): Promise<string> {
    const token = createToken(this.#randomBytes);
    await this.withdraw(db, init);
    await db
      .insertInto("one_time_links")
      .values({
        id: createId(this.#randomBytes),
        kind: init.kind,
        token_hash: hashToken(token),
        person_id: init.personId,
        is_mailed: init.isMailed ? 1 : 0,
        expires_at_ms: init.expiresAtMs,
      })
      .execute();
    return token;
  }

  /** Says that a link went out by mail, and was shown to nobody. */
  async noteMailed(db: Database, token: string): Promise<void> {
    await db.updateTable("one_time_links").set({ is_mailed: 1 }).where("token_hash", "=", hashToken(token)).execute();
  }

  /** Makes links of a kind and person stop working. */
  async withdraw(db: Database, init: { readonly kind: OneTimeLinksTable["kind"]; readonly personId: string | null }): Promise<void> {
    await db
      .deleteFrom("one_time_links")
      .where("kind", "=", init.kind)
      .where("person_id", init.personId === null ? "is" : "=", init.personId)
      .execute();
  }

  /** Whether a token would be taken. */
  async isUsable(db: Database, kind: OneTimeLinksTable["kind"], token: string): Promise<boolean> {
    const row = await db
      .selectFrom("one_time_links")
      .select("id")
      .where("kind", "=", kind)
      .where("token_hash", "=", hashToken(token))
      .where("expires_at_ms", ">", this.#now())
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Takes a token, in the transaction of what it permits; `undefined` when it cannot be used. It is gone then. */
  async take(
    db: Database,
    kind: OneTimeLinksTable["kind"],
    token: string,
  ): Promise<{ readonly personId: string | null; readonly isMailed: boolean } | undefined> {
    const row = await db
      .deleteFrom("one_time_links")
      .where("kind", "=", kind)
      .where("token_hash", "=", hashToken(token))
      .where("expires_at_ms", ">", this.#now())
      .returning(["person_id", "is_mailed"])
      .executeTakeFirst();
    return row === undefined ? undefined : { personId: row.person_id, isMailed: row.is_mailed === 1 };
  }
}
