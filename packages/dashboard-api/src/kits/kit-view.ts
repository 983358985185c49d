import type { Selectable } from "kysely";
import type { IssuedKit } from "../contract/kits.js";
import type { Database } from "../db/tables.js";
import { readProject } from "../project/project-store.js";
import type { KitParts } from "./kit-parts.js";
import { type KitRow, readKitRows } from "./kit-rows.js";
import type { KitLinksTable } from "./kit-tables.js";

/** Shows rows of kits as the contract says. */
export class KitView {
  readonly #nowMs: number;
  readonly #links: ReadonlyMap<string, Selectable<KitLinksTable>>;
  readonly #formerBut: string | undefined;

  private constructor(nowMs: number, links: ReadonlyMap<string, Selectable<KitLinksTable>>, formerBut: string | undefined) {
    this.#nowMs = nowMs;
    this.#links = links;
    this.#formerBut = formerBut;
  }

  /** Reads what a kit's row alone does not tell. */
  static async read({ db, now, workspace }: Pick<KitParts, "db" | "now" | "workspace">): Promise<KitView> {
    const links = await db.selectFrom("kit_links").selectAll().where("expires_at_ms", ">", now()).execute();
    const { name, state } = await readProject(db);
    const trust = state === "frozen" ? await workspace.trust(name) : undefined;
    return new KitView(
      now(),
      new Map(links.map((link) => [link.kit_id, link])),
      trust?.isRollingOver === true ? trust.rootFingerprint : undefined,
    );
  }

  /** A kit as the contract says. */
  show(row: KitRow): IssuedKit {
    const link = this.#links.get(row.id);
    const { archive_name, archive_bytes, archive_until_ms, revocation_asked_at_ms, revocation_reason, revocation_by } = row;
    const isOver = archive_until_ms !== null && archive_until_ms <= this.#nowMs;
    const isTaken = row.source === "made" && row.delivered_at_ms !== null;
    return {
      id: row.id,
      kind: row.kind,
      participant: row.participant,
      organization: row.organization,
      role: row.role,
      source: row.source,
      serial: row.serial,
      fingerprint: row.fingerprint,
      validFromMs: row.valid_from_ms,
      validToMs: row.valid_to_ms,
      condition: this.#condition(row),
      revocation:
        revocation_asked_at_ms === null && row.revoked_at_ms === null
          ? null
          : { reason: revocation_reason ?? "unspecified", atMs: row.revoked_at_ms ?? revocation_asked_at_ms ?? 0, by: revocation_by ?? "" },
      isBelowFormerRoot: this.#formerBut !== undefined && row.root_fingerprint !== this.#formerBut,
      issuedAtMs: row.issued_at_ms,
      issuedBy: row.issued_by,
      archive:
        archive_name === null || archive_bytes === null || isOver || isTaken
          ? null
          : { fileName: archive_name, bytes: archive_bytes, isSecret: row.source === "made", untilMs: archive_until_ms },
      delivery: row.delivered_at_ms === null ? null : { atMs: row.delivered_at_ms, to: row.delivered_to ?? "" },
      link: link === undefined ? null : { expiresAtMs: link.expires_at_ms, by: link.created_by },
      siteId: row.site_id,
      personId: row.person_id,
    };
  }

  #condition(row: KitRow): IssuedKit["condition"] {
    if (row.revoked_at_ms !== null) return "revoked";
    if (row.revocation_asked_at_ms !== null) return "revoking";
    if (row.replaced_at_ms !== null) return "replaced";
    if (row.valid_to_ms <= this.#nowMs) return "ended";
    return this.#nowMs >= endingFromMs(row) ? "ending" : "good";
  }
}

/** From when on a certificate is to be replaced: two thirds of its life. */
export function endingFromMs({ valid_from_ms, valid_to_ms }: Pick<KitRow, "valid_from_ms" | "valid_to_ms">): number {
  return valid_from_ms + ((valid_to_ms - valid_from_ms) * 2) / 3;
}

/** The newest kit of each site, by the site's id. */
export async function newestSiteKits(db: Database): Promise<ReadonlyMap<string, KitRow>> {
  const rows = await readKitRows(db, { kind: "site" });
  return new Map(rows.toReversed().flatMap((row) => (row.site_id === null ? [] : [[row.site_id, row] as const])));
}
