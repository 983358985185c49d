import { X509Certificate } from "node:crypto";
import { basename, join } from "node:path";
import type { Revocation } from "@flare-ts/contracts";
import { currentIdentityFile, identityFolderOf } from "../kit/identity-layout.js";
import type { Kit } from "../kit/kit.js";
import { readTextIfPresent } from "../kit/read-if-present.js";
import { Revocations } from "../kit/revocations.js";
import { TrustKeeper } from "../kit/trust-keeper.js";
import { isEnding } from "../pki/lifetime.js";
import { splitPem } from "../pki/pem.js";
import { readSubject } from "../pki/read-certificate.js";
import { type ProjectState, readState } from "../state/project-state.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";

/** What a certificate is for; `requested`: a participant's that keeps its own key, of which the workspace keeps no copy. */
export type CertificateKind = "root" | "former-root" | "authority" | "issuer" | "participant" | "requested";

/** Whether a certificate counts; `ending` from two thirds of its life on. */
export type CertificateCondition = "good" | "ending" | "ended" | "not-yet-valid" | "revoked";

/** One certificate of a project. */
export interface CertificateStatus {
  readonly name: string;
  readonly kind: CertificateKind;
  /** Role of the participant; of an issuer, what it may issue; empty for an authority, and where no copy says it. */
  readonly role: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** `undefined` where no copy says it. */
  readonly validFrom: Date | undefined;
  readonly validTo: Date;
  readonly condition: CertificateCondition;
}

export interface ProjectStatus {
  readonly project: string;
  /** Number of the trust list in force; 0 where there is none. */
  readonly trustListNumber: number;
  readonly certificates: readonly CertificateStatus[];
}

export interface ProjectStatusInit extends ProjectFolderInit {
  /** @default the present */
  readonly now?: Date;
}

/**
 * Says when every certificate of a project ends, its authorities included; no private key is opened.
 *
 * @throws FlareError `project/not-provisioned`, `project/state-invalid`.
 */
export async function projectCertificateStatus({ now = new Date(), ...init }: ProjectStatusInit): Promise<ProjectStatus> {
  const projectDir = await findProjectFolder(init);
  const { state } = await readState(projectDir, { open: async (stored) => await Promise.resolve(stored) });
  const project = basename(projectDir);
  if (state === undefined) return { project, trustListNumber: 0, certificates: [] };
  const { root, authority, formerRoots, serverIssuer, participants, revoked, trustList } = state;
  const judge = judgeWith(revoked, now);
  return {
    project,
    trustListNumber: trustList?.number ?? 0,
    certificates: [
      judge("root", root.certificatePem),
      ...formerRoots.map(({ certificatePem }) => judge("former-root", certificatePem)),
      ...(authority === undefined ? [] : [judge("authority", authority.certificatePem)]),
      ...(serverIssuer === undefined ? [] : [judge("issuer", serverIssuer.certificatePem)]),
      ...[...participants.values()].map(({ certificatePem }) => judge("participant", certificatePem)),
      ...requestedCertificates(state, now),
    ],
  };
}

/**
 * Of each participant that keeps its own key, the certificate that lasts longest of those that count, else of all. When it began stands
 * nowhere, so that it is `ending` in the last third of the life that certificates of the project have.
 */
function requestedCertificates({ issued, participants, revoked, settings }: ProjectState, now: Date): CertificateStatus[] {
  const lost = new Set(revoked.flatMap(({ serials }) => serials.map((serial) => serial.toLowerCase())));
  const found = new Map<string, CertificateStatus>();
  for (const { name, serial, notAfterMs } of issued.toSorted((a, b) => a.notAfterMs - b.notAfterMs)) {
    if (participants.has(name)) continue;
    const isRevoked = lost.has(serial);
    if (isRevoked && found.has(name) && found.get(name)?.condition !== "revoked") continue;
    const leftMs = notAfterMs - now.getTime();
    const condition = leftMs <= 0 ? "ended" : settings !== undefined && leftMs <= settings.leafLifetimeMs / 3 ? "ending" : "good";
    const validTo = new Date(notAfterMs);
    found.set(name, {
      name,
      kind: "requested",
      role: "",
      serial,
      validFrom: undefined,
      validTo,
      condition: isRevoked ? "revoked" : condition,
    });
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Says when the certificates of a kit end: its own, as it was made or renewed since, those of its issuers, and the roots that it
 * trusts.
 *
 * @throws FlareError `trust/…` for a trust list that is not good.
 */
export async function kitCertificateStatus(kit: Kit, { now = new Date() }: { readonly now?: Date } = {}): Promise<ProjectStatus> {
  const { trust } = await TrustKeeper.open(kit);
  const judge = judgeWith(trust.revoked, now);
  const [own = "", ...issuers] = splitPem("CERTIFICATE", (await renewedCertificate(kit)) ?? kit.certificatePem);
  const [current, ...others] = trust.roots.map((root) => root.toString());
  return {
    project: kit.project,
    trustListNumber: trust.number,
    certificates: [
      ...(current === undefined ? [] : [judge("root", current)]),
      ...others.map((pem) => judge("former-root", pem)),
      ...issuers.map((pem) => judge(readSubject(new X509Certificate(pem)).role === "" ? "authority" : "issuer", pem)),
      judge("participant", own),
    ],
  };
}

/** The certificate that the participant got since the kit was made; it lies in the folder that `identity/current` names. */
async function renewedCertificate({ dir, type }: Kit): Promise<string | undefined> {
  const folder = (await readTextIfPresent(join(identityFolderOf(dir), currentIdentityFile)))?.trim();
  if (folder === undefined || !/^[0-9a-fA-F]+$/.test(folder)) return undefined;
  return await readTextIfPresent(join(identityFolderOf(dir), folder, `${type === "server" ? "server" : "client"}.crt`));
}

function judgeWith(revoked: readonly Revocation[], now: Date): (kind: CertificateKind, pem: string) => CertificateStatus {
  const revocations = new Revocations(revoked);
  return (kind, pem) => {
    const [first = pem] = splitPem("CERTIFICATE", pem);
    const certificate = new X509Certificate(first);
    const { commonName, role } = readSubject(certificate);
    return {
      name: commonName,
      kind,
      role,
      serial: certificate.serialNumber.toLowerCase(),
      validFrom: certificate.validFromDate,
      validTo: certificate.validToDate,
      condition: revocations.find(certificate) === undefined ? conditionOf(certificate, now) : "revoked",
    };
  };
}

function conditionOf(certificate: X509Certificate, now: Date): CertificateCondition {
  if (now >= certificate.validToDate) return "ended";
  if (now < certificate.validFromDate) return "not-yet-valid";
  return isEnding(certificate, now) ? "ending" : "good";
}
