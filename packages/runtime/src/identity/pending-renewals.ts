import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { z } from "zod";
import type { WaitingRenewal } from "../admin/waiting-renewal.js";

/** A request that waits, and what came of it. */
export interface PendingRenewal extends WaitingRenewal {
  /** The new certificate with its chain, once somebody has signed it; PEM. */
  readonly completedPem?: string | undefined;
  /** Whether somebody has declined it: it stays until the participant makes another. */
  readonly isDeclined?: boolean | undefined;
}

/** The requests for certificates that wait at the server, one for each participant: a file each in a folder. */
export class PendingRenewals {
  readonly #folder: string;
  readonly #byName = new Map<string, PendingRenewal>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the folder; a file that is no request is left out. */
  static async open(init: { readonly folder: string }): Promise<PendingRenewals> {
    const pending = new PendingRenewals(init.folder);
    for (const file of await readdir(init.folder).catch(() => [])) {
      if (file.endsWith(".new")) await rm(join(init.folder, file), { force: true });
      if (!file.endsWith(".json")) continue;
      const renewal = parse(await readFile(join(init.folder, file), "utf8").catch(() => ""));
      if (renewal !== undefined) pending.#byName.set(keyOf(renewal), renewal);
    }
    return pending;
  }

  /** Those that wait for a signature, the oldest first. */
  waiting(): readonly PendingRenewal[] {
    return [...this.#byName.values()]
      .filter(({ completedPem, isDeclined }) => completedPem === undefined && isDeclined !== true)
      .sort((a, b) => a.requestedAtMs - b.requestedAtMs);
  }

  get(id: string): PendingRenewal | undefined {
    return [...this.#byName.values()].find((renewal) => renewal.id === id);
  }

  /** The request of a participant, or of the issuing certificate. */
  of(kind: PendingRenewal["kind"], name: string): PendingRenewal | undefined {
    return this.#byName.get(keyOf({ kind, name }));
  }

  /** Keeps a request durably, in place of the participant's last one. @throws FlareError `file/unwritable` */
  async put(renewal: PendingRenewal): Promise<void> {
    const path = this.#pathOf(renewal);
    // Two requests of one participant may be written at a time; each draft is its own.
    const draft = `${path}.${randomUUID()}.new`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(JSON.stringify(renewal));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw new FlareError("file/unwritable", `A request for a certificate cannot be written to ${path}.`, {
        facts: { file: path },
        cause,
      });
    }
    this.#byName.set(keyOf(renewal), renewal);
  }

  /** Forgets a request: its certificate is with its owner. */
  async remove(renewal: PendingRenewal): Promise<void> {
    if (this.#byName.get(keyOf(renewal))?.id !== renewal.id) return;
    this.#byName.delete(keyOf(renewal));
    await rm(this.#pathOf(renewal), { force: true });
  }

  #pathOf(renewal: PendingRenewal): string {
    const digest = createHash("sha256").update(keyOf(renewal)).digest("hex").slice(0, 32);
    return join(this.#folder, `${digest}.json`);
  }
}

/** The id of a request. */
export function renewalId(csrPem: string): string {
  return createHash("sha256").update(csrPem).digest("hex").slice(0, 16);
}

const schema = z.strictObject({
  id: z.string(),
  kind: z.enum(["participant", "issuer"]),
  name: z.string(),
  org: z.string(),
  role: z.string(),
  csrPem: z.string(),
  certificatePem: z.string(),
  requestedAtMs: z.number(),
  completedPem: z.string().optional(),
  isDeclined: z.boolean().optional(),
});

function parse(text: string): PendingRenewal | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function keyOf({ kind, name }: Pick<PendingRenewal, "kind" | "name">): string {
  return `${kind}:${name}`;
}
