import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { currentIdentityFile, identityFolderOf, type Kit } from "@flare-ts/provision/kit";

/** A certificate with its chain and the key that belongs to it; PEM. */
export interface StoredIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A key that waits for its certificate. */
export interface IdentityRequest {
  readonly privateKeyPem: string;
  /** PKCS #10, PEM. */
  readonly csrPem: string;
}

/** What was found in the folder of renewed identities. */
export interface FoundIdentities {
  /** Whole ones, the one in force first. */
  readonly identities: readonly StoredIdentity[];
  /** Those that cannot be used, with why. */
  readonly damaged: readonly { readonly folder: string; readonly reason: string }[];
}

/**
 * The identities that a participant got after its kit was made, in `<workspace>/identity`: a folder for each, named after the
 * serial number of its certificate, `current` with the name of the one in force, and `next` with a key that waits for its
 * certificate. Each step is atomic and durable; a crash leaves the identity of before or the one of after.
 */
export class IdentityFolder {
  readonly #folder: string;
  readonly #name: string;

  /** @param init.name how certificate and key are called: `client`, `server`, `issuing` */
  constructor(init: { readonly folder: string; readonly name: string }) {
    this.#folder = init.folder;
    this.#name = init.name;
  }

  /** Where the participant of a kit keeps what it got by renewal. */
  static ofKit({ type }: Pick<Kit, "type">, workspace: string): IdentityFolder {
    return new IdentityFolder({ folder: identityFolderOf(workspace), name: type === "server" ? "server" : "client" });
  }

  /** Everything that is there; what is damaged is told, not thrown. */
  async read(): Promise<FoundIdentities> {
    const names = await readdir(this.#folder).catch(() => []);
    const current = (await readFile(join(this.#folder, currentIdentityFile), "utf8").catch(() => "")).trim();
    const serials = names.filter((name) => serialPattern.test(name)).sort((a, b) => Number(b === current) - Number(a === current));
    const identities: StoredIdentity[] = [];
    const damaged: { folder: string; reason: string }[] = [];
    if (current !== "" && !serials.includes(current)) damaged.push({ folder: join(this.#folder, current), reason: "it is not there" });
    for (const serial of serials) {
      const folder = join(this.#folder, serial);
      try {
        identities.push(await this.#readOne(folder));
      } catch (error) {
        damaged.push({ folder, reason: error instanceof DamagedError ? error.message : "a file is missing or cannot be read" });
      }
    }
    return { identities, damaged };
  }

  /** The key and request of the renewal that is under way; `make` begins one when there is none. */
  async pending(make: () => Promise<IdentityRequest>): Promise<IdentityRequest> {
    return (await this.#readPending()) ?? (await this.#writePending(await make()));
  }

  /** Gives up the renewal that is under way: the next one begins with another key. */
  async discardPending(): Promise<void> {
    await rm(join(this.#folder, next), { recursive: true, force: true });
  }

  /**
   * Makes the certificate that came for the pending key the identity in force, and removes those of before.
   *
   * @throws FlareError `file/unwritable`; the identity of before stays in force then.
   */
  async adopt(certificatePem: string): Promise<void> {
    const serial = new X509Certificate(certificatePem).serialNumber.toLowerCase();
    const waiting = join(this.#folder, next);
    await this.#writing(async () => {
      await writeDurably(join(waiting, `${this.#name}.crt`), certificatePem, 0o644);
      await rm(join(waiting, `${this.#name}.csr`), { force: true });
      await syncFolder(waiting);
      await rm(join(this.#folder, serial), { recursive: true, force: true });
      await rename(waiting, join(this.#folder, serial));
      await syncFolder(this.#folder);
      await writeDurably(join(this.#folder, draft), `${serial}\n`, 0o644);
      await rename(join(this.#folder, draft), join(this.#folder, currentIdentityFile));
      await syncFolder(this.#folder);
    });
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      if (serialPattern.test(name) && name !== serial) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #readOne(folder: string): Promise<StoredIdentity> {
    const keyFile = join(folder, `${this.#name}.key`);
    const [certificatePem, privateKeyPem, { mode }] = await Promise.all([
      readFile(join(folder, `${this.#name}.crt`), "utf8"),
      readFile(keyFile, "utf8"),
      stat(keyFile),
    ]);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) throw new DamagedError("other accounts can use its key");
    let isPair: boolean;
    try {
      isPair = new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
    } catch {
      throw new DamagedError("its certificate or key cannot be read");
    }
    if (!isPair) throw new DamagedError("its key does not belong to its certificate");
    return { certificatePem, privateKeyPem };
  }

  async #readPending(): Promise<IdentityRequest | undefined> {
    const folder = join(this.#folder, next);
    try {
      const [privateKeyPem, csrPem] = await Promise.all([
        readFile(join(folder, `${this.#name}.key`), "utf8"),
        readFile(join(folder, `${this.#name}.csr`), "utf8"),
      ]);
      createPrivateKey(privateKeyPem);
      return { privateKeyPem, csrPem };
    } catch {
      // Half written by a process that died: a new key costs nothing.
      return undefined;
    }
  }

  async #writePending(request: IdentityRequest): Promise<IdentityRequest> {
    const folder = join(this.#folder, next);
    await this.#writing(async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDurably(join(folder, `${this.#name}.key`), request.privateKeyPem, 0o600);
      await writeDurably(join(folder, `${this.#name}.csr`), request.csrPem, 0o644);
      await syncFolder(folder);
    });
    return request;
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw new FlareError("file/unwritable", `A renewed identity cannot be written to ${this.#folder}.`, {
        facts: { file: this.#folder },
        cause,
      });
    }
  }
}

const next = "next";
const draft = `${currentIdentityFile}.new`;
const serialPattern = /^[0-9a-f]{2,64}$/;

class DamagedError extends Error {}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
