import { createECDH, createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What only one site knows in one job: the key that blinds identifiers, and where shuffles come from. */
export interface PsiSecret {
  /** A scalar of P-256, 32 bytes. */
  readonly key: Uint8Array;
  /** 32 bytes; each list of points that is shuffled has a seed of its own of it. */
  readonly shuffleSeed: Uint8Array;
}

const scalarBytes = 32;

/** A fresh secret. */
export function drawPsiSecret(): PsiSecret {
  const curve = createECDH("prime256v1");
  curve.generateKeys();
  // Node leaves zeros at the beginning out.
  const key = Buffer.alloc(scalarBytes);
  const drawn = curve.getPrivateKey();
  drawn.copy(key, scalarBytes - drawn.byteLength);
  return { key, shuffleSeed: randomBytes(scalarBytes) };
}

/**
 * The secret of a job at this site: drawn the first time, and the same whenever its program is started anew. The file has mode 0600.
 *
 * @param folder - goes with the job
 */
export function keptPsiSecret(folder: string): PsiSecret {
  const path = join(folder, "psi.key");
  if (!existsSync(path)) {
    const { key, shuffleSeed } = drawPsiSecret();
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, Buffer.concat([key, shuffleSeed]), { mode: 0o600 });
    renameSync(part, path);
  }
  const bytes = readFileSync(path);
  return { key: bytes.subarray(0, scalarBytes), shuffleSeed: bytes.subarray(scalarBytes, 2 * scalarBytes) };
}

/** The seed of one shuffle. */
export function seedOfShuffle({ shuffleSeed }: Pick<PsiSecret, "shuffleSeed">, round: number): Uint8Array {
  return createHmac("sha256", shuffleSeed).update(`flare-psi shuffle ${round}`).digest();
}
