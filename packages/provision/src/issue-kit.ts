import { X509Certificate } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FlareError, nearestWord, type Problem, type RevocationReason } from "@flare-ts/contracts";
import { type ChangeContext, type ChangeInit, changeState, type PublishedTrust } from "./authority/change-state.js";
import { knownSerials, withRevocation } from "./authority/revoke.js";
import { trustedRootsPem } from "./authority/trusted-roots.js";
import { makeFolder } from "./kit/make-folder.js";
import { writeKits } from "./kits/write-kits.js";
import { splitPem } from "./pki/pem.js";
import { createIdentities, issuedEntry } from "./pki/project-identities.js";
import { parseProject } from "./project/parse-project.js";
import type { Participant, Project } from "./project/project.js";
import { draftBeside } from "./state/draft-beside.js";
import type { ProjectState } from "./state/project-state.js";

export interface IssueKitInit extends ChangeInit {
  /** The project file: it names the participant, and everybody else whom the kit speaks of. */
  readonly projectText: string;
  /** Name of the project file for messages; files that it names are looked for from there. @default "project.yml" */
  readonly projectFile?: string;
  /** Folder that keeps the projects; made when it does not exist. */
  readonly workspace: string;
  /** Name of the participant. */
  readonly name: string;
  /** Folder of the kit; it must not exist. */
  readonly dir: string;
  /** What becomes of certificates that the participant was given before: they stay good, or are revoked for a reason. */
  readonly earlier: "kept" | RevocationReason;
  /** Aborting leaves the workspace as it was. */
  readonly signal?: AbortSignal | undefined;
}

/** A kit that was issued to one participant. */
export interface IssuedKit {
  readonly name: string;
  readonly type: Participant["type"];
  /** Absolute path. */
  readonly dir: string;
  /** The participant's certificate, followed by those of its issuers below the root. */
  readonly certificatePem: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the certificate: pairs of hexadecimal digits in capitals, with colons. */
  readonly fingerprint: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** The trust list in force, where there is one; it is a new one where certificates were revoked. */
  readonly trust: PublishedTrust | undefined;
  readonly hasRevoked: boolean;
  /** What the project file asks for and has no effect, each with its line. */
  readonly warnings: readonly Problem[];
}

/**
 * Issues the kit of one participant, with a new key and a new certificate, whatever it was given before; nobody else's is touched. The
 * first kit of a project makes its root. The kit is written whole or not at all, and no certificate is out that the workspace does not
 * remember. `provision` on the same workspace keeps the key.
 *
 * @throws FlareError `file/exists`, `file/unwritable`, `project/*`; `project/unknown-participant` for a name that the file has not.
 */
export async function issueKit(init: IssueKitInit): Promise<IssuedKit> {
  const { projectText, projectFile = "project.yml", name, signal } = init;
  const project = parseProject(projectText, projectFile);
  const participant = participantOf(project, name, projectFile);
  refuseModules(project, projectFile);
  const dir = resolve(init.dir);
  await refuseExisting(dir);
  const projectDir = resolve(init.workspace, project.name);
  await makeFolder(projectDir);
  await makeFolder(dirname(dir));
  const draft = await draftBeside(dirname(dir));
  try {
    const { result, trust } = await changeState(projectDir, init, async (stored, context) => {
      signal?.throwIfAborted();
      if (stored.state === undefined && stored.requestedKeyPem !== undefined) throw noAuthority(project.name, context.stateFile);
      const before = takeBack(stored.state, init, context);
      const identities = await createIdentities({
        project: { ...project, participants: [participant] },
        previous: before === undefined ? undefined : { ...before, participants: without(before.participants, name) },
        stateFile: context.stateFile,
        now: context.now,
        signal,
      });
      await writeKits({
        project,
        only: name,
        dir: draft,
        identities: identities.participants,
        rootCertificatePem: trustedRootsPem(identities.base),
        rootKey: identities.authority.privateKey,
        issuer: identities.authority,
        issuing: identities.base.serverIssuer,
        trustListText: identities.base.trustList?.text,
        now: context.now,
        signal,
      });
      const state = await identities.state();
      const certificatePem = state.participants.get(name)?.certificatePem ?? "";
      return { ...stored, state, result: { certificatePem, hasRevoked: before !== stored.state } };
    });
    await rename(join(draft, name), dir);
    const [own = ""] = splitPem("CERTIFICATE", result.certificatePem);
    const certificate = new X509Certificate(own);
    return {
      name,
      type: participant.type,
      dir,
      ...result,
      serial: certificate.serialNumber.toLowerCase(),
      fingerprint: certificate.fingerprint256,
      validFrom: certificate.validFromDate,
      validTo: certificate.validToDate,
      trust,
      warnings: project.warnings,
    };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function participantOf({ participants }: Project, name: string, file: string): Participant {
  const found = participants.find((participant) => participant.name === name);
  if (found !== undefined) return found;
  const names = participants.map((participant) => participant.name);
  const near = nearestWord(name, names);
  throw new FlareError(
    "project/unknown-participant",
    `${file} has no participant '${name}'${near === undefined ? "." : `; did you mean '${near}'?`}`,
    { facts: { file, name } },
  );
}

/** Builders of the project's own work on a whole folder of kits. */
function refuseModules({ plugins }: Project, file: string): void {
  if (plugins.builders.length === 0 && plugins.packager === undefined) return;
  throw new FlareError("project/not-supported", `${file} has builders or a packager of its own, which run for all kits at once.`, {
    facts: { file },
  });
}

async function refuseExisting(dir: string): Promise<void> {
  const isThere = await stat(dir).then(
    () => true,
    () => false,
  );
  if (isThere) throw new FlareError("file/exists", `${dir} is there already.`, { facts: { file: dir } });
}

/** The state in which the participant's earlier certificates are revoked, where they are to be and any is good. */
function takeBack(
  state: ProjectState | undefined,
  { name, earlier }: IssueKitInit,
  context: Pick<ChangeContext, "project" | "now">,
): ProjectState | undefined {
  if (state === undefined || earlier === "kept" || !hasGoodCertificates(state, name)) return state;
  return withRevocation(state, { name, reason: earlier }, context);
}

/** Until the server has a kit, its issuing certificate, which the first kit of anybody makes, is not out. */
function hasGoodCertificates(state: ProjectState, name: string): boolean {
  const issuer = state.serverIssuer === undefined ? undefined : issuedEntry(name, state.serverIssuer.certificatePem).serial;
  const isRevoked = (serial: string): boolean => state.revoked.some(({ serials }) => serials.includes(serial));
  return knownSerials(state, name).some((serial) => serial !== issuer && !isRevoked(serial));
}

function without<T>(entries: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> {
  return new Map([...entries].filter(([key]) => key !== name));
}

function noAuthority(project: string, file: string): FlareError {
  return new FlareError("project/no-authority", `A CA elsewhere was asked for the certificate of '${project}', and it has not come yet.`, {
    facts: { file },
  });
}
