import { X509Certificate } from "node:crypto";
import { FlareError, type Problem } from "@flare-ts/contracts";
import { issuerRole } from "../kit/issuer-role.js";
import { Revocations } from "../kit/revocations.js";
import { type Participant, type Project, roleOf } from "../project/project.js";
import type { IssuedCertificate, ProjectState, StoredIdentity, StoredRoot } from "../state/project-state.js";
import { type Authority, openAuthority, openIdentity, parseStored, requireRoomForIssuer } from "./authority.js";
import { canonicalHost } from "./canonical-host.js";
import { issueIntermediate, issueLeaf, issueRoot } from "./certificate.js";
import { identityWarnings } from "./identity-warnings.js";
import { isIssuedBy } from "./is-issued-by.js";
import { chainBelowRoot, withinIssuer } from "./issue-from-request.js";
import { createKeyPair, type KeyPair, keyPairFromPem, privateKeyPem } from "./key-pair.js";
import { beginKeyPairs } from "./key-pairs.js";
import { isEnding, validityFrom } from "./lifetime.js";
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

/** A project's authority, and certificates for everybody in it, each of which is there as soon as its key is. */
export interface ProjectIdentities {
  readonly authority: Authority;
  /** The state but for what the participants' certificates bring. */
  readonly base: Omit<ProjectState, "participants" | "issued">;
  /** By name. A key takes a tenth of a second: whoever waits for them in turn works while the others are made. */
  readonly participants: ReadonlyMap<string, Promise<StoredIdentity>>;
  /** What the holder of the CA should know about it. */
  readonly warnings: readonly Problem[];
  /** Answers the whole state when all are there. */
  state(): Promise<ProjectState>;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Answers a root and an identity for every participant. Those that exist are kept, byte by byte, as long as they say what the
 * project says, come from the authority in force, and have a third of their life before them; otherwise the certificate is made
 * anew for the same key. Whoever was revoked gets a new key, and a certificate that begins after that moment. Aborting the
 * signal ends the making of keys.
 *
 * @throws FlareError `project/role-changed`, `project/root-differs`, `project/root-expired`, `project/state-invalid`,
 * `project/no-authority`, `project/path-length`.
 */
export async function createIdentities(init: IdentitiesInit): Promise<ProjectIdentities> {
  const { project, previous, stateFile, now, signal } = init;
  const { keyType, leafLifetimeMs } = project.certificates;
  const known = previous === undefined ? undefined : checkPrevious(init, previous);
  const newcomers = project.participants.filter((participant) => keptKey(participant, init) === undefined);
  const needsIssuer = project.certificates.renewalIssuer === "server" && previous?.serverIssuer === undefined;
  const needsRoot = known === undefined;
  const keys = beginKeyPairs(keyType, newcomers.length + (needsIssuer ? 1 : 0) + (needsRoot ? 1 : 0), { signal });
  const root = previous?.root ?? (await createRoot(init, await take(keys)));
  const authority = known ?? openAuthority({ root, authority: undefined }, stateFile);
  const serverIssuer = await keepOrIssueIssuer(init, authority, needsIssuer ? await take(keys) : undefined);
  const newKeys = new Map(newcomers.map(({ name }) => [name, take(keys)]));
  const participants = new Map(
    project.participants.map((participant) => {
      const identity = keepOrIssue(participant, newKeys.get(participant.name), authority, init);
      // Whoever stops at the first failure does not hear of the others.
      identity.catch(() => {});
      return [participant.name, identity] as const;
    }),
  );
  const base = {
    root,
    authority: previous?.authority,
    formerRoots: previous?.formerRoots ?? [],
    retiredRoots: previous?.retiredRoots ?? [],
    serverIssuer,
    revoked: previous?.revoked ?? [],
    trustList: previous?.trustList,
    settings: { keyType, leafLifetimeMs },
  };
  return {
    authority,
    base,
    participants,
    warnings: identityWarnings(init, new Set(newKeys.keys())),
    state: async () => {
      const made = await Promise.all([...participants].map(async ([name, identity]) => [name, await identity] as const));
      return {
        ...base,
        participants: new Map([...(previous?.participants ?? []), ...made]),
        issued: withIssued(previous?.issued ?? [], [...made, ...issuerEntry(project, serverIssuer)], now),
      };
    },
  };
}

async function createRoot({ project, now }: IdentitiesInit, key: KeyPair): Promise<StoredRoot> {
  const certificatePem = await issueRoot({
    subject: { commonName: project.name },
    ...key,
    validity: validityFrom(now, project.certificates.rootValidDays * dayMs),
  });
  return { certificatePem, privateKeyPem: privateKeyPem(key) };
}

/** The key that a participant keeps; `undefined` for a newcomer, and for one whose key is not to be trusted any more. */
function keptKey({ name }: Participant, { previous }: IdentitiesInit): string | undefined {
  const identity = previous?.participants.get(name);
  if (previous === undefined || identity === undefined) return undefined;
  return isRevoked(identity, previous) ? undefined : identity.privateKeyPem;
}

function isRevoked({ certificatePem }: StoredIdentity, { revoked }: ProjectState): boolean {
  return new Revocations(revoked).find(new X509Certificate(certificatePem)) !== undefined;
}

async function keepOrIssue(
  participant: Participant,
  newKeyMade: Promise<KeyPair> | undefined,
  authority: Authority,
  { project, previous, now }: IdentitiesInit,
): Promise<StoredIdentity> {
  const known = previous?.participants.get(participant.name);
  const newKey = await newKeyMade;
  if (newKey === undefined && known !== undefined && stillSays(known, participant, authority, now)) return known;
  const key = newKey ?? keyPairFromPem(known?.privateKeyPem ?? "");
  const revokedMs = previous?.revoked.filter(({ name }) => name === participant.name).map(({ revoked_at_ms }) => revoked_at_ms) ?? [];
  const validity = validityFrom(now, project.certificates.leafLifetimeMs, revokedMs.length === 0 ? undefined : Math.max(...revokedMs));
  const leaf = await issueLeaf({
    subject: { commonName: participant.name, org: participant.org, role: roleOf(participant) },
    publicKey: key.publicKey,
    validity: withinIssuer(validity, authority),
    issuer: authority,
    hosts: hostsOf(participant),
    purpose: participant.type === "server" || participant.type === "relay" ? participant.type : "client",
  });
  return {
    certificatePem: `${leaf}${chainBelowRoot(authority)}`,
    privateKeyPem: known !== undefined && newKey === undefined ? known.privateKeyPem : privateKeyPem(key),
  };
}

function stillSays({ certificatePem }: StoredIdentity, participant: Participant, authority: Authority, now: Date): boolean {
  const certificate = new X509Certificate(certificatePem);
  if (isEnding(certificate, now) && !reachesEndOf(certificate, authority)) return false;
  if (certificate.validToDate <= now || readSubject(certificate).org !== participant.org || !isIssuedBy(certificate, authority.certificate))
    return false;
  if (participant.type !== "server" && participant.type !== "relay") return true;
  return readHosts(certificate).join() === hostsOf(participant).map(canonicalHost).join();
}

/** A relay listens with what it gets by renewal, once the certificate for that alone has served. */
function hostsOf(participant: Participant): readonly string[] {
  if (participant.type === "server") return participant.hosts;
  return participant.type === "relay" ? participant.listeningHost.hosts : [participant.name];
}

/** A certificate that ends with its authority would not last longer if it were made anew. */
function reachesEndOf({ validToDate }: X509Certificate, { certificate }: Authority): boolean {
  return validToDate >= certificate.validToDate;
}

async function keepOrIssueIssuer(
  { project, previous, now }: IdentitiesInit,
  authority: Authority,
  newKey: KeyPair | undefined,
): Promise<StoredIdentity | undefined> {
  const { renewalIssuer, serverMayRenew } = project.certificates;
  if (renewalIssuer !== "server") return undefined;
  const known = previous?.serverIssuer;
  const isLost = known !== undefined && previous !== undefined && isRevoked(known, previous);
  if (known !== undefined && !isLost) {
    const certificate = new X509Certificate(known.certificatePem);
    const isSame = readSubject(certificate).role === issuerRole(serverMayRenew) && isIssuedBy(certificate, authority.certificate);
    if (isSame && certificate.validToDate > now) return known;
  }
  const spare = isLost ? await createKeyPair(project.certificates.keyType) : newKey;
  const key = spare ?? keyPairFromPem(known?.privateKeyPem ?? "");
  // As long as its authority: only a new kit could bring the server another.
  const validity = { from: validityFrom(now, 0).from, to: authority.certificate.validToDate };
  const certificatePem = await issueIntermediate({
    commonName: `${project.name} issuer at ${project.server.name}`,
    mayIssue: serverMayRenew,
    publicKey: key.publicKey,
    validity: withinIssuer(validity, authority),
    issuer: authority,
  });
  return { certificatePem: `${certificatePem}${chainBelowRoot(authority)}`, privateKeyPem: privateKeyPem(key) };
}

function issuerEntry({ server }: Project, issuer: StoredIdentity | undefined): (readonly [string, StoredIdentity])[] {
  return issuer === undefined ? [] : [[server.name, issuer]];
}

/** What was issued before and has not ended, and what was issued now. */
function withIssued(
  before: readonly IssuedCertificate[],
  made: readonly (readonly [string, StoredIdentity])[],
  now: Date,
): readonly IssuedCertificate[] {
  const all = [...before, ...made.map(([name, { certificatePem }]) => issuedEntry(name, certificatePem))];
  const bySerial = new Map(all.filter(({ notAfterMs }) => notAfterMs > now.getTime()).map((entry) => [entry.serial, entry]));
  return [...bySerial.values()];
}

/** How a certificate is remembered. */
export function issuedEntry(name: string, certificatePem: string): IssuedCertificate {
  const { serialNumber, validToDate } = new X509Certificate(certificatePem);
  return { name, serial: serialNumber.toLowerCase(), notAfterMs: validToDate.getTime() };
}

function take(keys: Promise<KeyPair>[]): Promise<KeyPair> {
  const key = keys.shift();
  if (key === undefined) throw new TypeError("there are fewer keys than participants");
  return key;
}

/** Everything that was kept is looked at before anything is made; answers the authority. */
function checkPrevious({ project, stateFile, now }: IdentitiesInit, previous: ProjectState): Authority {
  const authority = openAuthority(previous, stateFile);
  const root = parseStored(previous.root, "the root", stateFile);
  for (const { validFromDate, validToDate } of [root, authority.certificate]) {
    if (validToDate > now && validFromDate <= now) continue;
    const [validFrom, validTo] = [validFromDate.toISOString(), validToDate.toISOString()];
    throw new FlareError(
      "project/root-expired",
      `The project's authority in ${stateFile} is good from ${validFrom} to ${validTo}; it is ${now.toISOString()} now.`,
      { facts: { file: stateFile, validFrom, validTo } },
    );
  }
  checkRootDays(project, root, stateFile);
  if (project.certificates.renewalIssuer === "server") requireRoomForIssuer(previous, stateFile);
  if (previous.serverIssuer !== undefined) openIdentity(previous.serverIssuer, "the server's issuer", stateFile);
  for (const participant of project.participants) {
    const known = previous.participants.get(participant.name);
    if (known === undefined) continue;
    const { certificate } = openIdentity(known, `'${participant.name}'`, stateFile);
    // What was taken back counts for nobody, so that its role may be another's.
    if (!isRevoked(known, previous)) checkRole(participant, certificate, stateFile);
  }
  return authority;
}

function checkRootDays({ name, certificates }: Project, root: X509Certificate, stateFile: string): void {
  const days = Math.round((root.validToDate.getTime() - root.validFromDate.getTime()) / dayMs);
  // A root from elsewhere lasts as long as it lasts.
  const isOwn = readSubject(root).commonName === name;
  if (!certificates.isRootValidDaysGiven || !isOwn || days === certificates.rootValidDays) return;
  throw new FlareError(
    "project/root-differs",
    `root_valid_days is ${certificates.rootValidDays}, but the root certificate in ${stateFile} was made for ${days} days.`,
    { facts: { file: stateFile, asked: certificates.rootValidDays, existing: days } },
  );
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
