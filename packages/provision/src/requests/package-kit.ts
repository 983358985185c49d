import { createPrivateKey, randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { FlareError, type Problem } from "@flare-ts/contracts";
import { approvalFiles } from "../kit/approval-files.js";
import { makeFolder } from "../kit/make-folder.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import { buildKit } from "../kits/build-kit.js";
import type { KitFile } from "../kits/kit-file.js";
import { plainFile } from "../kits/kit-file.js";
import { KitWriter } from "../kits/kit-writer.js";
import type { Participant } from "../project/project.js";
import { draftBeside } from "../state/draft-beside.js";
import { lockWorkspace } from "../state/workspace-lock.js";
import { findRequest, type LocalRequest } from "./find-request.js";
import { parseFingerprint } from "./fingerprint-text.js";
import type { IdentityClaim } from "./identity-claim.js";
import { type OpenApproval, openApproval } from "./open-approval.js";
import { packagedProject } from "./packaged-project.js";

export interface PackageKitInit {
  /** Path of `<name>.signed.zip`. */
  readonly archive: string;
  /** Folder that keeps the projects; made when it does not exist. */
  readonly workspace: string;
  /** Folder of the request. @default found by the records, or beside the archive */
  readonly requestDir?: string | undefined;
  /** Fingerprint of the root certificate, as the project admin gave it over another way than the archive. */
  readonly fingerprint?: string | undefined;
  /** Moves a kit that is there to `.bak` and replaces it. @default false */
  readonly isForced?: boolean;
  /** Folder of the records. @default ~/.flare */
  readonly home?: string;
  /** @default the present */
  readonly now?: Date;
  readonly signal?: AbortSignal | undefined;
}

/** A kit that was made where its private key is. */
export interface PackageKitResult {
  readonly claim: IdentityClaim;
  readonly type: Participant["type"];
  /** Absolute path of the kit. */
  readonly dir: string;
  readonly rootFingerprint: string;
  /** Whether the fingerprint was compared with one that was given. */
  readonly isFingerprintChecked: boolean;
  readonly validUntil: string;
  /** What the approval asks for and has no effect. */
  readonly warnings: readonly Problem[];
}

/**
 * Makes a startup kit from an approval and the private key that never left: `<workspace>/<project>/prod_NN/<name>`. Its files
 * are signed with that key, and the approval that the root signed goes with them. The kit appears whole and verified, or not
 * at all.
 *
 * @throws FlareError `cli/invalid-arguments` for a fingerprint that is none, `request/*`, `archive/*`, `file/*`, `project/*`, `trust/*`.
 */
export async function packageKit(init: PackageKitInit): Promise<PackageKitResult> {
  const { archive, now = new Date(), home = join(homedir(), ".flare"), signal } = init;
  const expectedFingerprint = init.fingerprint === undefined ? undefined : readFingerprint(init.fingerprint);
  const approval = await openApproval({ file: archive, expectedFingerprint, now, signal });
  const request = await findRequest({ approval, archive, requestDir: init.requestDir, home });
  const { project, participant } = packagedProject(approval.document, request.site, `${archive}: ${approvalFiles.document}`);
  signal?.throwIfAborted();
  const projectDir = resolve(init.workspace, project.name);
  await makeFolder(projectDir);
  const unlock = await lockWorkspace(projectDir);
  try {
    const prodDir = join(projectDir, `prod_${approval.document.ca_info.provision_version}`);
    await refuseOtherRoot(prodDir, approval);
    const files = [
      ...buildKit({
        project,
        participant,
        identity: { certificatePem: approval.certificatePem, privateKeyPem: request.privateKeyPem },
        rootCertificatePem: approval.rootPem,
        trustListText: approval.trustListText,
      }),
      plainFile(`startup/${approvalFiles.document}`, approval.documentText),
      plainFile(`startup/${approvalFiles.signature}`, approval.signatureText),
    ];
    const dir = join(prodDir, participant.name);
    await placeKit({ ...init, dir, projectDir, prodDir, now, request, files });
    return {
      claim: approval.claim,
      type: participant.type,
      dir,
      rootFingerprint: approval.rootFingerprint,
      isFingerprintChecked: expectedFingerprint !== undefined,
      validUntil: approval.document.certificate.valid_until,
      warnings: project.warnings,
    };
  } finally {
    await unlock();
  }
}

interface PlaceKitInit extends PackageKitInit {
  readonly dir: string;
  readonly projectDir: string;
  readonly prodDir: string;
  readonly now: Date;
  readonly request: LocalRequest;
  readonly files: readonly KitFile[];
}

async function placeKit({ dir, projectDir, prodDir, now, request, files, isForced = false }: PlaceKitInit): Promise<void> {
  const isThere = await stat(dir).then(
    () => true,
    () => false,
  );
  if (isThere && !isForced) throw new FlareError("file/exists", `${dir} is there already.`, { facts: { file: dir } });
  const draft = await draftBeside(projectDir);
  try {
    new KitWriter(createPrivateKey(request.privateKeyPem)).writeKit(draft, files);
    await verifyKit(await readKit(draft), { now });
    await makeFolder(prodDir);
    if (isThere) await moveAside(dir, projectDir);
    await rename(draft, dir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function moveAside(dir: string, projectDir: string): Promise<void> {
  const backup = join(projectDir, ".bak", randomUUID());
  await makeFolder(backup, { mode: 0o700 });
  await rename(dir, join(backup, "kit"));
}

/** Kits of two roots in one folder are a mistake that shows only when nobody can connect. */
async function refuseOtherRoot(prodDir: string, { rootPem }: OpenApproval): Promise<void> {
  const names = await readdir(prodDir).catch(() => []);
  for (const name of names) {
    const file = join(prodDir, name, "startup", "rootCA.pem");
    const other = await readFile(file, "utf8").catch(() => undefined);
    if (other === undefined || other === rootPem) continue;
    throw new FlareError("request/other-root", `${file} is another root certificate than the approval's.`, { facts: { file } });
  }
}

function readFingerprint(text: string): string {
  const fingerprint = parseFingerprint(text);
  if (fingerprint !== undefined) return fingerprint;
  throw new FlareError("cli/invalid-arguments", `'${text.slice(0, 120)}' is no SHA-256 fingerprint, such as SHA256:AA:BB:… with 32 pairs.`);
}
