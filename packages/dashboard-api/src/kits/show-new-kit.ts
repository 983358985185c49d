import type { IssuedKit } from "../contract/kits.js";
import { notFound } from "../http/actor.js";
import type { NewKit } from "./issue-kits.js";
import type { KitParts } from "./kit-parts.js";
import type { KitRow } from "./kit-rows.js";
import { KitView } from "./kit-view.js";

/** A kit that was made just now, with its passphrase, as the contract says. */
export async function showNewKit(parts: KitParts, { kitId, passphrase }: NewKit): Promise<{ kit: IssuedKit; passphrase: string }> {
  return { kit: await showKit(parts, kitId), passphrase };
}

/** A kit as the contract says. */
export async function showKit(parts: KitParts, id: string): Promise<IssuedKit> {
  return (await KitView.read(parts)).show(await readKit(parts, id));
}

/**
 * Reads a kit's row.
 *
 * @throws FlareError `dashboard/not-found`
 */
export async function readKit({ db }: Pick<KitParts, "db">, id: string): Promise<KitRow> {
  const row = await db.selectFrom("kits").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound();
  return row;
}
