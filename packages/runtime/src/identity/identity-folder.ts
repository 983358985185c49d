import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
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
 * certificate. Each step is atomic and durable; a crash leaves the identity of before or the one of after. So does another process that renews
 * the same identity at the same time, as two commands of an admin may: both ask with one key, and whoever comes last is in force.
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
    const current = await this.#current();
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
    const known = await this.#readPending();
    if (known !== undefined && !(await this.#isAdopted(known))) return known;
    // A crash may have left a key whose certificate is in force already: each has a key of its own.
    if (known !== undefined) await this.discardPending();
    return await this.#writePending(await make());
  }

  /** Gives up the renewal that is under way: the next one begins with another key. */
  async discardPending(): Promise<void> {
    await rm(join(this.#folder, next), { recursive: true, force: true });
  }

  /**
   * Puts a certificate in force that came for a request, and removes those of before.
   *
   * @throws FlareError `file/unwritable`; the identity of before stays in force then.
   */
  async adopt(certificatePem: string, { privateKeyPem }: Pick<IdentityRequest, "privateKeyPem">): Promise<void> {
    const serial = new X509Certificate(certificatePem).serialNumber.toLowerCase();
    const files = [
      [`${this.#name}.key`, privateKeyPem, 0o600],
      [`${this.#name}.crt`, certificatePem, 0o644],
    ] as const;
    await this.#writing(async () => {
      await this.#placeFolder(serial, files);
      const draft = join(this.#folder, `${draftPrefix}${randomUUID()}`);
      await writeDurably(draft, `${serial}\n`, 0o644);
      await rename(draft, join(this.#folder, currentIdentityFile));
      await syncFolder(this.#folder);
      // Another process, which has put its own in force a moment before, may have taken this one for one of before.
      await this.#placeFolder(serial, files);
      if ((await this.#readPending())?.privateKeyPem === privateKeyPem) await this.discardPending();
    });
    await this.#removeOthers(serial);
  }

  /** Removes what is neither this one nor in force. */
  async #removeOthers(serial: string): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      const isOther = serialPattern.test(name) && name !== serial && name !== (await this.#current());
      if (isOther || (name.startsWith(draftPrefix) && (await isOld(join(this.#folder, name)))))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #current(): Promise<string> {
    return (await readFile(join(this.#folder, currentIdentityFile), "utf8").catch(() => "")).trim();
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

  /** The request that is pending afterwards: this one, or that of a process that was quicker. */
  async #writePending(request: IdentityRequest): Promise<IdentityRequest> {
    const files = [
      [`${this.#name}.key`, request.privateKeyPem, 0o600],
      [`${this.#name}.csr`, request.csrPem, 0o644],
    ] as const;
    await this.#writing(async () => {
      await this.#placeFolder(next, files);
      // Half of one is nobody's.
      if ((await this.#readPending()) !== undefined) return;
      await this.discardPending();
      await this.#placeFolder(next, files);
    });
    return (await this.#readPending()) ?? request;
  }

  async #isAdopted({ privateKeyPem }: IdentityRequest): Promise<boolean> {
    const names = await readdir(this.#folder).catch(() => []);
    const keys = await Promise.all(
      names
        .filter((name) => serialPattern.test(name))
        .map((name) => readFile(join(this.#folder, name, `${this.#name}.key`), "utf8").catch(() => "")),
    );
    return keys.includes(privateKeyPem);
  }

  /** Makes a folder with all its files at once; one that is there already stays as it is. */
  async #placeFolder(name: string, files: readonly (readonly [string, string, number])[]): Promise<void> {
    const isPlaced = await access(join(this.#folder, name)).then(
      () => true,
      () => false,
    );
    if (isPlaced) return;
    const draft = join(this.#folder, `${draftPrefix}${randomUUID()}`);
    await mkdir(draft, { recursive: true, mode: 0o700 });
    for (const [file, text, mode] of files) await writeDurably(join(draft, file), text, mode);
    await syncFolder(draft);
    try {
      await rename(draft, join(this.#folder, name));
    } catch (cause) {
      await rm(draft, { recursive: true, force: true });
      if (!isThere(cause)) throw cause;
    }
    await syncFolder(this.#folder);
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
/** What is not whole yet. */
const draftPrefix = "draft-";
/** A draft that is older was left by a process that died. */
const draftMs = 3_600_000;
const serialPattern = /^[0-9a-f]{2,64}$/;

class DamagedError extends Error {}

/** Systems differ in what they say of a folder that is not empty. */
function isThere(cause: unknown): boolean {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return ["ENOTEMPTY", "EEXIST"].includes(code) || (process.platform === "win32" && code === "EPERM");
}

async function isOld(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > draftMs;
}

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
