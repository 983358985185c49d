import type { Selectable } from "kysely";
import { Secret, TOTP } from "otpauth";
import type { Database } from "../db/tables.js";
import { createId, type RandomBytes } from "../secrets/tokens.js";
import type { Vault } from "../secrets/vault.js";
import type { PeopleTable } from "./people-tables.js";

const periodMs = 30_000;
const recoveryCodeCount = 10;

/** Codes of an app, each for 30 seconds, and recovery codes for a lost device. @see RFC 6238 */
export class SecondFactor {
  readonly #vault: Vault;
  readonly #now: () => number;
  readonly #randomBytes: RandomBytes;

  constructor(components: { readonly vault: Vault; readonly now: () => number; readonly randomBytes: RandomBytes }) {
    this.#vault = components.vault;
    this.#now = components.now;
    this.#randomBytes = components.randomBytes;
  }

  /** Makes a secret for a person: sealed for the database, in base32 and as an address for an app's camera. */
  create(person: { readonly id: string; readonly email: string }, issuer: string): { sealed: string; secret: string; uri: string } {
    const secret = new Secret({ buffer: new Uint8Array(this.#randomBytes(20)).buffer });
    const uri = totpOf(secret, { issuer, label: person.email }).toString();
    return { sealed: this.#vault.seal(`totp ${person.id}`, secret.base32), secret: secret.base32, uri };
  }

  /** Takes a code of the app; whether it is right and was not used before. */
  async useCode(db: Database, person: Selectable<PeopleTable>, code: string): Promise<boolean> {
    const digits = code.replaceAll(/\s/g, "");
    if (person.totp_secret === null || !/^\d{6}$/.test(digits)) return false;
    const totp = totpOf(Secret.fromBase32(this.#vault.open(`totp ${person.id}`, person.totp_secret)));
    const now = this.#now();
    const delta = totp.validate({ token: digits, timestamp: now, window: 1 });
    if (delta === null) return false;
    const step = Math.floor(now / periodMs) + delta;
    const used = await db
      .updateTable("people")
      .set({ totp_last_step: step })
      .where("id", "=", person.id)
      .where("totp_last_step", "<", step)
      .executeTakeFirst();
    return used.numUpdatedRows === 1n;
  }

  /** Takes a recovery code; whether there was such a one. It is gone then. */
  async useRecoveryCode(db: Database, personId: string, code: string): Promise<boolean> {
    const used = await db
      .deleteFrom("recovery_codes")
      .where("person_id", "=", personId)
      .where("code_hash", "=", this.#recoveryHash(personId, code))
      .executeTakeFirst();
    return used.numDeletedRows > 0n;
  }

  /** Replaces a person's recovery codes and gives the new ones. */
  async renewRecoveryCodes(db: Database, personId: string): Promise<string[]> {
    const codes = Array.from({ length: recoveryCodeCount }, () => recoveryCode(this.#randomBytes));
    await db.deleteFrom("recovery_codes").where("person_id", "=", personId).execute();
    await db
      .insertInto("recovery_codes")
      .values(
        codes.map((code) => ({ id: createId(this.#randomBytes), person_id: personId, code_hash: this.#recoveryHash(personId, code) })),
      )
      .execute();
    return codes;
  }

  /** A code has 50 bits, so that a hash without a key could be searched. */
  #recoveryHash(personId: string, code: string): string {
    return this.#vault.mac("recovery codes", `${personId} ${code.toLowerCase().replaceAll(/[\s-]/g, "")}`);
  }
}

function totpOf(secret: Secret, names: { readonly issuer?: string; readonly label?: string } = {}): TOTP {
  return new TOTP({ ...names, secret, algorithm: "SHA1", digits: 6, period: periodMs / 1000 });
}

/** Ten letters and digits that are not taken for each other, 5 bits each. */
function recoveryCode(randomBytes: RandomBytes): string {
  const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  const letters = [...randomBytes(10)].map((byte) => alphabet[byte % 32] ?? "").join("");
  return `${letters.slice(0, 5)}-${letters.slice(5)}`;
}
