import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { type Participant, type Project, roleOf } from "../project/project.js";
import type { ProjectState, StoredIdentity } from "../state/project-state.js";
import { canonicalHost } from "./canonical-host.js";
import { type Issuer, issueLeaf, issueRoot } from "./certificate.js";
import type { Validity } from "./certificate-content.js";
import { createKeyPair, type KeyPair, keyPairFromPem, privateKeyPem } from "./key-pair.js";
import { readHosts, readSubject } from "./read-certificate.js";

interface IdentitiesInit {
  readonly project: Project;
  /** What earlier runs made; `undefined` on the first. */
  readonly previous: ProjectState | undefined;
  /** Name of the state's file, for messages. */
  readonly stateFile: string;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
/** A kit is good at once on a machine whose clock is a little behind. */
const backdateMs = 5 * 60 * 1000;
/** FLARE gives every leaf so many days. */
const leafValidDays = 360;

/**
 * Answers a root and an identity for every participant: those that exist are kept, byte by byte, as long as they say
 * what the project says; a certificate that does not, or that has ended, is made anew for the same key.
 *
 * @throws FlareError `project/role-changed`, `project/root-differs`, `project/root-expired`, `project/state-invalid`.
 */
export async function createIdentities(init: IdentitiesInit): Promise<ProjectState> {
  const { project, previous, signal } = init;
  if (previous !== undefined) checkPrevious(init, previous);
  const rootKeyMaking = previous === undefined ? createKeyPair("rsa-2048") : readKey(previous.root, "root", init.stateFile);
  const [rootKey, ...keys] = await Promise.all([
    rootKeyMaking,
    ...project.participants.map(async ({ name }) => {
      const known = previous?.participants.get(name);
      return known === undefined ? await createKeyPair("rsa-2048") : await readKey(known, name, init.stateFile);
    }),
  ]);
  signal?.throwIfAborted();
  const root = previous?.root ?? (await createRoot(init, rootKey));
  const issuer: Issuer = { certificatePem: root.certificatePem, privateKey: rootKey.privateKey };
  const made = await Promise.all(
    project.participants.map(async (participant, index): Promise<[string, StoredIdentity]> => {
      const key = keys[index];
      if (key === undefined) throw new TypeError("a participant was left without a key");
      return [participant.name, await keepOrIssue(participant, key, issuer, init)];
    }),
  );
  return { root, participants: new Map([...(previous?.participants ?? []), ...made]) };
}

async function createRoot({ project, now }: IdentitiesInit, key: KeyPair): Promise<StoredIdentity> {
  const certificatePem = await issueRoot({
    subject: { commonName: project.name },
    ...key,
    validity: validityOf(now, project.certificates.rootValidDays),
  });
  return { certificatePem, privateKeyPem: privateKeyPem(key) };
}

async function keepOrIssue(
  participant: Participant,
  key: KeyPair,
  issuer: Issuer,
  { previous, now }: IdentitiesInit,
): Promise<StoredIdentity> {
  const known = previous?.participants.get(participant.name);
  if (known !== undefined && stillSays(new X509Certificate(known.certificatePem), participant, now)) return known;
  const { from, to } = validityOf(now, leafValidDays);
  const rootEnd = new X509Certificate(issuer.certificatePem).validToDate;
  const certificatePem = await issueLeaf({
    subject: { commonName: participant.name, org: participant.org, role: roleOf(participant) },
    publicKey: key.publicKey,
    validity: { from, to: to < rootEnd ? to : rootEnd },
    issuer,
    hosts: hostsOf(participant),
    purpose: participant.type === "server" ? "server" : "client",
  });
  return { certificatePem, privateKeyPem: known?.privateKeyPem ?? privateKeyPem(key) };
}

function stillSays(certificate: X509Certificate, participant: Participant, now: Date): boolean {
  if (certificate.validToDate <= now || readSubject(certificate).org !== participant.org) return false;
  return participant.type !== "server" || readHosts(certificate).join() === participant.hosts.map(canonicalHost).join();
}

function hostsOf(participant: Participant): readonly string[] {
  if (participant.type === "server") return participant.hosts;
  return [participant.name, ...(participant.type === "relay" ? participant.listeningHost.hosts : [])];
}

function validityOf(now: Date, days: number): Validity {
  return { from: new Date(now.getTime() - backdateMs), to: new Date(now.getTime() + days * dayMs) };
}

function checkPrevious({ project, stateFile, now }: IdentitiesInit, previous: ProjectState): void {
  const root = parse(previous.root, "the root", stateFile);
  if (root.validToDate <= now || root.validFromDate > now) {
    throw new FlareError(
      "project/root-expired",
      `The root certificate in ${stateFile} is good from ${root.validFromDate.toISOString()} to ${root.validToDate.toISOString()}; it is ${now.toISOString()} now.`,
      { facts: { file: stateFile, validFrom: root.validFromDate.toISOString(), validTo: root.validToDate.toISOString() } },
    );
  }
  const days = Math.round((root.validToDate.getTime() - root.validFromDate.getTime()) / dayMs);
  if (project.certificates.isRootValidDaysGiven && days !== project.certificates.rootValidDays) {
    throw new FlareError(
      "project/root-differs",
      `root_valid_days is ${project.certificates.rootValidDays}, but the root certificate in ${stateFile} was made for ${days} days.`,
      { facts: { file: stateFile, asked: project.certificates.rootValidDays, existing: days } },
    );
  }
  for (const participant of project.participants) {
    const known = previous.participants.get(participant.name);
    if (known !== undefined) checkRole(participant, parse(known, `'${participant.name}'`, stateFile), stateFile);
  }
}

function checkRole(participant: Participant, certificate: X509Certificate, stateFile: string): void {
  const { role } = readSubject(certificate);
  if (role === roleOf(participant)) return;
  throw new FlareError(
    "project/role-changed",
    `'${participant.name}' is ${roleOf(participant)} in the project file, but the certificate in ${stateFile} says ${role}.`,
    { facts: { file: stateFile, name: participant.name, asked: roleOf(participant), existing: role } },
  );
}

function parse(identity: StoredIdentity, whose: string, stateFile: string): X509Certificate {
  try {
    return new X509Certificate(identity.certificatePem);
  } catch (cause) {
    throw damaged(stateFile, `the certificate of ${whose} cannot be read`, cause);
  }
}

async function readKey(identity: StoredIdentity, whose: string, stateFile: string): Promise<KeyPair> {
  const certificate = parse(identity, `'${whose}'`, stateFile);
  let key: KeyPair;
  try {
    key = keyPairFromPem(identity.privateKeyPem);
  } catch (cause) {
    throw damaged(stateFile, `the private key of '${whose}' cannot be read`, cause);
  }
  if (!certificate.checkPrivateKey(key.privateKey))
    throw damaged(stateFile, `the private key of '${whose}' does not belong to its certificate`);
  return key;
}

function damaged(file: string, what: string, cause?: unknown): FlareError {
  return new FlareError("project/state-invalid", `${file}: ${what}.`, { facts: { file }, ...(cause === undefined ? {} : { cause }) });
}
