import type { Selectable } from "kysely";
import type { Role } from "../contract/roles.js";
import type { Database } from "../db/tables.js";
import { createId, createToken, hashToken, type RandomBytes } from "../secrets/tokens.js";
import type { PeopleTable, SessionsTable } from "./people-tables.js";

/** How long sessions last. */
export interface SessionLimits {
  /** Without any request. @default 30 minutes */
  readonly idleMs: number;
  /** At the most. @default 12 hours */
  readonly absoluteMs: number;
  /** Between password and second factor. @default 5 minutes */
  readonly secondFactorMs: number;
}

/** How long sessions last when nothing else is said. */
export const defaultSessionLimits: SessionLimits = { idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000, secondFactorMs: 5 * 60_000 };

/** A session that is alive, with its person. */
export interface LiveSession {
  readonly session: Selectable<SessionsTable>;
  readonly person: Selectable<PeopleTable>;
}

/** The last time that a session was used is written so often at the most: reading must not cost a write each time. */
const seenEveryMs = 60_000;

/** Begins, finds and ends sessions. */
export class Sessions {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #randomBytes: RandomBytes;
  readonly #limits: SessionLimits;

  constructor(
    components: { readonly db: Database; readonly now: () => number; readonly randomBytes: RandomBytes },
    init: { readonly limits: SessionLimits },
  ) {
    this.#db = components.db;
    this.#now = components.now;
    this.#randomBytes = components.randomBytes;
    this.#limits = init.limits;
  }

  /** Begins a session and gives its token, which is kept nowhere else. */
  async begin(
    db: Database,
    init: { readonly personId: string; readonly step: SessionsTable["step"]; readonly address: string; readonly userAgent: string },
  ): Promise<string> {
    const now = this.#now();
    const token = createToken(this.#randomBytes);
    const lastsMs = init.step === "complete" ? this.#limits.absoluteMs : this.#limits.secondFactorMs;
    await db
      .deleteFrom("sessions")
      .where((row) => row.or([row("ends_at_ms", "<=", now), row("last_seen_at_ms", "<=", now - this.#limits.idleMs)]))
      .execute();
    await db
      .insertInto("sessions")
      .values({
        id: createId(this.#randomBytes),
        token_hash: hashToken(token),
        person_id: init.personId,
        step: init.step,
        created_at_ms: now,
        last_seen_at_ms: now,
        ends_at_ms: now + lastsMs,
        address: init.address,
        user_agent: init.userAgent.slice(0, 300),
      })
      .execute();
    return token;
  }

  /** The session of a token, if it is alive and its person may still sign in. */
  async find(token: string): Promise<LiveSession | undefined> {
    const now = this.#now();
    const session = await this.#db
      .selectFrom("sessions")
      .selectAll()
      .where("token_hash", "=", hashToken(token))
      .where("ends_at_ms", ">", now)
      .where("last_seen_at_ms", ">", now - this.#limits.idleMs)
      .executeTakeFirst();
    if (session === undefined) return undefined;
    const person = await this.#db.selectFrom("people").selectAll().where("id", "=", session.person_id).executeTakeFirst();
    if (person === undefined || !maySignIn(person)) return undefined;
    if (now - session.last_seen_at_ms >= Math.min(seenEveryMs, this.#limits.idleMs / 4)) {
      await this.#db.updateTable("sessions").set({ last_seen_at_ms: now }).where("id", "=", session.id).execute();
    }
    return { session, person };
  }

  /** Whether a session still lives, and its person is still what they were when it was looked at; a look does not prolong it. */
  async isAlive(actor: { readonly sessionId: string; readonly role: Role; readonly organization: string }): Promise<boolean> {
    const now = this.#now();
    const found = await this.#db
      .selectFrom("sessions")
      .innerJoin("people", "people.id", "sessions.person_id")
      .select("sessions.id")
      .where("sessions.id", "=", actor.sessionId)
      .where("sessions.ends_at_ms", ">", now)
      .where("sessions.last_seen_at_ms", ">", now - this.#limits.idleMs)
      .where("people.state", "=", "approved")
      .where("people.role", "=", actor.role)
      .where("people.organization", "=", actor.organization)
      .executeTakeFirst();
    return found !== undefined;
  }

  /** The living sessions of a person, the newest first. */
  async list(personId: string): Promise<Selectable<SessionsTable>[]> {
    const now = this.#now();
    return this.#db
      .selectFrom("sessions")
      .selectAll()
      .where("person_id", "=", personId)
      .where("step", "=", "complete")
      .where("ends_at_ms", ">", now)
      .where("last_seen_at_ms", ">", now - this.#limits.idleMs)
      .orderBy("created_at_ms", "desc")
      .orderBy("id")
      .execute();
  }

  /** How many sessions live, of all people; also those that wait for the code of a second factor. */
  async countLiving(): Promise<number> {
    const now = this.#now();
    const row = await this.#db
      .selectFrom("sessions")
      .select((one) => one.fn.countAll<number>().as("count"))
      .where("ends_at_ms", ">", now)
      .where("last_seen_at_ms", ">", now - this.#limits.idleMs)
      .executeTakeFirst();
    return row?.count ?? 0;
  }

  /** Ends one session of a person; whether there was one. */
  async end(db: Database, personId: string, sessionId: string): Promise<boolean> {
    const result = await db.deleteFrom("sessions").where("id", "=", sessionId).where("person_id", "=", personId).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  /** Ends all sessions of a person, but for one where it is named. */
  async endAll(db: Database, personId: string, except?: string): Promise<void> {
    await db
      .deleteFrom("sessions")
      .where("person_id", "=", personId)
      .$if(except !== undefined, (query) => query.where("id", "!=", except ?? ""))
      .execute();
  }
}

/** Whether a person may be signed in at all: those who wait for approval may, to see that they wait. */
export function maySignIn(person: Pick<Selectable<PeopleTable>, "state">): boolean {
  return person.state === "pending" || person.state === "approved";
}
