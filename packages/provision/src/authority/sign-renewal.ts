import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { issuableBy } from "../kit/issuer-role.js";
import { Revocations } from "../kit/revocations.js";
import { openAuthority, requireRoomForIssuer } from "../pki/authority.js";
import { issueIntermediate } from "../pki/certificate.js";
import { isIssuedBy } from "../pki/is-issued-by.js";
import { chainBelowRoot, issueFromRequest, withinIssuer } from "../pki/issue-from-request.js";
import { validityFrom } from "../pki/lifetime.js";
import { issuedEntry } from "../pki/project-identities.js";
import { readHosts, readSubject } from "../pki/read-certificate.js";
import { readRequest } from "../pki/read-request.js";
import type { ProjectState } from "../state/project-state.js";
import { type ChangeContext, type ChangeInit, changeState } from "./change-state.js";
import { findProjectFolder, type ProjectFolderInit } from "./project-folder.js";
import { provisioned } from "./provisioned.js";

/** A request for the next certificate that the server keeps for the holder of the CA. */
export interface RenewalToSign {
  /** A participant's certificate, or that with which the server issues. */
  readonly kind: "participant" | "issuer";
  /** Common name of the participant; of the server, for its issuer. */
  readonly name: string;
  /** PKCS #10, PEM. */
  readonly csrPem: string;
  /**
   * The certificate that it follows, PEM, as it came with the request: of participants that keep their own keys, and whose certificate the
   * workspace therefore only remembers to have issued.
   */
  readonly certificatePem?: string;
}

export interface SignRenewalInit extends ProjectFolderInit, ChangeInit {
  readonly renewal: RenewalToSign;
}

/**
 * Signs a request for the next certificate of a participant that the workspace knows: for the key of the request, with the name,
 * organisation, role and host names of the certificate that the workspace gave it, or issued for a request of its own. What the request says of itself is not taken over;
 * whether the key is the participant's is for a person to make sure. Answers the certificate, followed by those of its issuers. The
 * request comes by way of the server, which may be in the wrong hands: who was revoked gets nothing, and only the server issues.
 *
 * @throws FlareError `auth/certificate-revoked`, `certificate/request-invalid`, `certificate/key-refused`, `project/path-length`, and what `revokeParticipant` throws.
 */
export async function signRenewal({ renewal, ...init }: SignRenewalInit): Promise<string> {
  const { result } = await changeState(await findProjectFolder(init), init, async (stored, context) => {
    const state = provisioned(stored, context);
    const certificatePem =
      renewal.kind === "issuer" ? await signIssuer(state, renewal, context) : await signParticipant(state, renewal, context);
    const issued = [...state.issued, issuedEntry(renewal.name, certificatePem)];
    return { ...stored, state: { ...state, issued }, result: certificatePem };
  });
  return result;
}

async function signParticipant(state: ProjectState, renewal: RenewalToSign, { now, stateFile }: ChangeContext): Promise<string> {
  const { name, csrPem } = renewal;
  const certificate = requestedCertificate(state, renewal) ?? certificateOf(state, name);
  const subject = readSubject(certificate);
  const revokedMs = state.revoked.filter((entry) => entry.name === name).map(({ revoked_at_ms }) => revoked_at_ms);
  return await issueFromRequest({
    csrPem,
    issuer: openAuthority(state, stateFile),
    subject,
    hosts: readHosts(certificate),
    validity: validityFrom(now, lifetimeOf(state, certificate), revokedMs.length === 0 ? undefined : Math.max(...revokedMs)),
    purpose: subject.role === "server" || subject.role === "relay" ? subject.role : "client",
  });
}

async function signIssuer(state: ProjectState, { name, csrPem }: RenewalToSign, { now, stateFile }: ChangeContext): Promise<string> {
  // It would be recorded under a name that is not revoked with the server.
  if (state.serverIssuer === undefined || readSubject(certificateOf(state, name)).role !== "server") throw unknown(name);
  const { commonName, role } = readSubject(new X509Certificate(state.serverIssuer.certificatePem));
  requireRoomForIssuer(state, stateFile);
  const issuer = openAuthority(state, stateFile);
  const certificatePem = await issueIntermediate({
    commonName,
    mayIssue: issuableBy(role) ?? [],
    publicKey: readRequest(csrPem).publicKey,
    validity: withinIssuer({ from: validityFrom(now, 0).from, to: issuer.certificate.validToDate }, issuer),
    issuer,
  });
  return `${certificatePem}${chainBelowRoot(issuer)}`;
}

/**
 * The good certificate that a participant got for a request of its own. What is shown counts only when it was issued here, under this very
 * name: the server may show anything, and issue some.
 */
function requestedCertificate(state: ProjectState, { name, certificatePem }: RenewalToSign): X509Certificate | undefined {
  if (certificatePem === undefined || hasGoodCertificate(state, name)) return undefined;
  const certificate = parsed(certificatePem);
  if (certificate === undefined || readSubject(certificate).commonName !== name) return undefined;
  const serial = certificate.serialNumber.toLowerCase();
  if (!state.issued.some((entry) => entry.name === name && entry.serial === serial)) return undefined;
  const issuers = [state.root, ...state.formerRoots, ...(state.authority === undefined ? [] : [state.authority])];
  const isOurs = issuers.some((issuer) => isIssuedBy(certificate, new X509Certificate(issuer.certificatePem)));
  return isOurs && new Revocations(state.revoked).find(certificate) === undefined ? certificate : undefined;
}

function hasGoodCertificate({ participants, revoked }: ProjectState, name: string): boolean {
  const known = participants.get(name);
  return known !== undefined && new Revocations(revoked).find(new X509Certificate(known.certificatePem)) === undefined;
}

function parsed(certificatePem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificatePem);
  } catch {
    return undefined;
  }
}

/** The last certificate that the workspace gave to a participant. */
function certificateOf({ participants, revoked }: ProjectState, name: string): X509Certificate {
  const known = participants.get(name);
  if (known === undefined) throw unknown(name);
  const certificate = new X509Certificate(known.certificatePem);
  const revocation = new Revocations(revoked).find(certificate);
  if (revocation === undefined) return certificate;
  throw new FlareError("auth/certificate-revoked", `'${name}' was revoked (${revocation.reason}); its certificate is not renewed.`, {
    facts: { name, reason: revocation.reason },
  });
}

function lifetimeOf({ settings }: ProjectState, { validFromDate, validToDate }: X509Certificate): number {
  return settings?.leafLifetimeMs ?? validToDate.getTime() - validFromDate.getTime();
}

function unknown(name: string): FlareError {
  return new FlareError("project/unknown-participant", `No certificate was given to '${name}'.`, { facts: { name } });
}
