import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, type RevocationReason } from "@flare-ts/contracts";
import {
  type ApprovalResult,
  approveRequest,
  archiveFolder,
  type CaKey,
  checkCaKey,
  createPassphrase,
  finishRollover,
  type InspectedRequest,
  type IssuedKit,
  inspectRequest,
  issueKit,
  type ProjectTrustStatus,
  type RenewalToSign,
  readProjectTrust,
  revokeParticipant,
  signRenewal,
  startRollover,
} from "@flare-ts/provision";
import { withoutFolder } from "../without-folder.js";
import type { TrustListText } from "./trust-lists.js";

/** What issuing needs to know. */
export interface IssueInit {
  readonly caKey: CaKey;
  /** The whole project file. */
  readonly projectText: string;
  readonly name: string;
  readonly earlier: "kept" | RevocationReason;
}

/** A kit in an archive that a passphrase seals. */
export interface SealedKit {
  readonly issued: IssuedKit;
  readonly passphrase: string;
  readonly archive: Buffer;
}

const temporary = ".temporary-";

/**
 * The folder of the project's CA: a workspace of `flare provision`, with `project.yml` and `project_profile.yaml` beside it, so that
 * `flare provision`, `flare cert` and `flare package` work on it. Nothing here looks at the database.
 */
export class CaWorkspace {
  /** Absolute path. */
  readonly dir: string;
  readonly #now: () => number;

  private constructor(components: { readonly now: () => number }, init: { readonly dir: string }) {
    this.#now = components.now;
    this.dir = init.dir;
  }

  /** Makes the folder where it is not there, and removes what a run that was killed left half done. */
  static async open(components: { readonly now: () => number }, init: { readonly dir: string }): Promise<CaWorkspace> {
    await mkdir(init.dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(init.dir)) {
      if (name.startsWith(temporary)) await rm(join(init.dir, name), { recursive: true, force: true });
    }
    return new CaWorkspace(components, init);
  }

  /** Whether a project has a CA here. */
  async hasProject(project: string): Promise<boolean> {
    return await stat(join(this.dir, project, "state", "ca.json")).then(
      () => true,
      () => false,
    );
  }

  /** When the project's trust list was last written, in milliseconds since the epoch; `undefined` where there is none. */
  async trustWrittenMs(project: string): Promise<number | undefined> {
    return await stat(join(this.dir, project, "state", "trust.json")).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  }

  /** Who is trusted; `undefined` before there is a CA. */
  async trust(project: string): Promise<ProjectTrustStatus | undefined> {
    if (!(await this.hasProject(project))) return undefined;
    const read = async (): Promise<ProjectTrustStatus | undefined> => await readProjectTrust({ workspace: this.dir, project });
    // It is kept in two files. Who reads one before and the other after a root was replaced reads them again.
    return await read().catch(async (reason: unknown) => {
      if (reason instanceof FlareError && reason.code === "project/state-invalid") return await read();
      throw reason;
    });
  }

  /**
   * Makes sure that a passphrase opens the CA's key.
   *
   * @throws FlareError `project/passphrase-wrong`, `project/state-invalid`
   */
  async checkKey(project: string, caKey: CaKey): Promise<void> {
    await checkCaKey({ workspace: this.dir, project, caKey });
  }

  /** Writes the two files that the command line takes. */
  async writeFiles(files: { readonly projectText: string; readonly profileText: string }): Promise<void> {
    await this.#write("project.yml", files.projectText);
    await this.#write("project_profile.yaml", files.profileText);
  }

  /** Issues a kit into a folder that must not exist. */
  async issueTo(dir: string, init: IssueInit): Promise<IssuedKit> {
    return await issueKit({ ...init, workspace: this.dir, dir, now: this.#date() });
  }

  /** Issues a kit as an archive; nothing of it stays in clear text. */
  async issueSealed(init: IssueInit): Promise<SealedKit> {
    return await this.#inTemporary(async (dir) => {
      const issued = await this.issueTo(join(dir, init.name), init);
      const passphrase = createPassphrase();
      const file = join(dir, "kit.zip");
      await archiveFolder({ dir: issued.dir, under: init.name, file, modified: this.#date(), passphrase });
      return { issued, passphrase, archive: await readFile(file) };
    });
  }

  /**
   * Opens a request without answering it.
   *
   * @throws FlareError `request/*`, `archive/*`, `certificate/*`
   */
  async inspect(archive: Uint8Array): Promise<InspectedRequest> {
    return await this.#inTemporary(async (dir) => await inspectRequest({ archive: await placed(dir, archive) }));
  }

  /** Answers a request; an earlier certificate of the name stays as it is. */
  async approve(init: {
    readonly caKey: CaKey;
    readonly archive: Uint8Array;
    readonly profileText: string;
    readonly isRenewedByServer: boolean;
  }): Promise<{ readonly approval: ApprovalResult; readonly archive: Buffer }> {
    return await this.#inTemporary(async (dir) => {
      const [profileFile, out] = [join(dir, "project_profile.yaml"), join(dir, "signed.zip")];
      await writeFile(profileFile, init.profileText);
      const approval = await approveRequest({
        archive: await placed(dir, init.archive),
        authorityDir: this.dir,
        profileFile,
        out,
        isForced: true,
        isRenewedByServer: init.isRenewedByServer,
        caKey: init.caKey,
        home: join(this.dir, "records"),
        now: this.#date(),
      });
      return { approval, archive: await readFile(out) };
    });
  }

  /** Takes every certificate of a participant back. */
  async revoke(init: {
    readonly project: string;
    readonly caKey: CaKey;
    readonly name: string;
    readonly reason: RevocationReason;
  }): Promise<TrustListText> {
    const { number, trustListText } = await revokeParticipant({ ...init, workspace: this.dir, isForced: true, now: this.#date() });
    return { number, text: trustListText };
  }

  /**
   * Signs a request for a next certificate, for the name, role and hosts that the project gave; answers it with its chain, PEM.
   *
   * @throws FlareError `project/unknown-participant`, `auth/certificate-revoked`, `certificate/*`
   */
  async signRenewal(init: { readonly project: string; readonly caKey: CaKey; readonly renewal: RenewalToSign }): Promise<string> {
    return await signRenewal({ ...init, workspace: this.dir, now: this.#date() });
  }

  /** Makes a new root beside the old one. */
  async startRollover(project: string, caKey: CaKey): Promise<TrustListText> {
    const { number, trustListText } = await startRollover({ workspace: this.dir, project, caKey, now: this.#date() });
    return { number, text: trustListText };
  }

  /**
   * Ends the trust in the old root.
   *
   * @throws FlareError `project/rollover-not-done`, `project/no-rollover`
   */
  async finishRollover(init: {
    readonly project: string;
    readonly caKey: CaKey;
    readonly inUse: readonly { readonly name: string; readonly chainPem: string }[];
    readonly isForced: boolean;
  }): Promise<TrustListText> {
    const { number, trustListText } = await finishRollover({ ...init, workspace: this.dir, now: this.#date() });
    return { number, text: trustListText };
  }

  async #write(name: string, text: string): Promise<void> {
    const draft = join(this.dir, `${temporary}${randomUUID()}`);
    await writeFile(draft, text, { mode: 0o600, flush: true });
    await rename(draft, join(this.dir, name));
  }

  async #inTemporary<T>(work: (dir: string) => Promise<T>): Promise<T> {
    const dir = await mkdtemp(join(this.dir, temporary));
    try {
      return await work(dir);
    } catch (reason) {
      throw withoutFolder(reason, dir);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  #date(): Date {
    return new Date(this.#now());
  }
}

async function placed(dir: string, archive: Uint8Array): Promise<string> {
  const file = join(dir, "request.zip");
  await writeFile(file, archive, { mode: 0o600 });
  return file;
}
