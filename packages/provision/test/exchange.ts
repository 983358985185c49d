import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ApprovalResult, type ApproveRequestInit, approveRequest } from "../src/requests/approve-request.js";
import { type InitAuthorityInit, type InitAuthorityResult, initAuthority } from "../src/requests/init-authority.js";
import { type PackageKitInit, type PackageKitResult, packageKit } from "../src/requests/package-kit.js";
import { type CertificateRequestResult, type RequestCertificateInit, requestCertificate } from "../src/requests/request-certificate.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Who asks for a certificate in the example. */
export type Asker = keyof typeof participants;

const participants = {
  server: { name: "fl.example.org", type: "server", org: "clinic", host_names: ["localhost", "127.0.0.1"] },
  site: { name: "hospital-a", type: "client", org: "clinic", capacity: { num_of_gpus: 2 } },
  user: { name: "lead@example.org", type: "admin", org: "clinic", role: "lead" },
} as const;

const profile = {
  name: "cancer",
  scheme: "grpc",
  connection_security: "mtls",
  server: { host: "fl.example.org", fed_learn_port: 8102 },
  certificates: { key_type: "p256" },
};

/**
 * A project admin and participants with folders of their own, who hand each other archives. Everything that is written
 * stands below `dir`.
 */
export class Exchange {
  readonly now = new Date("2026-11-01T12:00:00Z");
  readonly dir: string;
  readonly authorityDir: string;
  readonly profileFile: string;
  readonly home: string;
  readonly workspace: string;
  readonly authority: InitAuthorityResult;
  readonly #remove: () => Promise<void>;

  private constructor(dir: string, authority: InitAuthorityResult, remove: () => Promise<void>) {
    this.dir = dir;
    ({ authorityDir: this.authorityDir, profileFile: this.profileFile } = placesIn(dir));
    this.home = join(dir, "home");
    this.workspace = join(dir, "workspace");
    this.authority = authority;
    this.#remove = remove;
  }

  static async create(init: Partial<InitAuthorityInit> = {}, profileChange: object = {}): Promise<Exchange> {
    const { dir, remove } = await temporaryFolder();
    const { authorityDir, profileFile } = placesIn(dir);
    await writeFile(profileFile, JSON.stringify({ ...profile, ...profileChange }, undefined, 2));
    const authority = await initAuthority({
      profileFile,
      dir: authorityDir,
      caKey: "clear",
      now: new Date("2026-11-01T12:00:00Z"),
      ...init,
    });
    return new Exchange(dir, authority, remove);
  }

  /** Path of the archive that a participant sends. */
  requestArchive(who: Asker): string {
    const { name } = participants[who];
    return join(this.dir, name, `${name}.request.zip`);
  }

  /** Path of the archive that a participant gets. */
  signedArchive(who: Asker): string {
    return join(this.dir, `${participants[who].name}.signed.zip`);
  }

  async request(who: Asker, change: object = {}, rest: Partial<RequestCertificateInit> = {}): Promise<CertificateRequestResult> {
    const participantFile = join(this.dir, `${who}.yaml`);
    await writeFile(participantFile, JSON.stringify({ name: "cancer", participants: [{ ...participants[who], ...change }] }, undefined, 2));
    return await requestCertificate({ participantFile, baseDir: this.dir, home: this.home, now: this.now, keyType: "p256", ...rest });
  }

  async approve(who: Asker, rest: Partial<ApproveRequestInit> = {}): Promise<ApprovalResult> {
    return await approveRequest({
      archive: this.requestArchive(who),
      authorityDir: this.authorityDir,
      profileFile: this.profileFile,
      out: this.signedArchive(who),
      caKey: "clear",
      home: this.home,
      now: this.now,
      ...rest,
    });
  }

  async package(who: Asker, rest: Partial<PackageKitInit> = {}): Promise<PackageKitResult> {
    return await packageKit({
      archive: this.signedArchive(who),
      workspace: this.workspace,
      fingerprint: this.authority.rootFingerprint,
      home: this.home,
      now: this.now,
      ...rest,
    });
  }

  async remove(): Promise<void> {
    await this.#remove();
  }
}

function placesIn(dir: string): { authorityDir: string; profileFile: string } {
  return { authorityDir: join(dir, "ca"), profileFile: join(dir, "project_profile.yaml") };
}
