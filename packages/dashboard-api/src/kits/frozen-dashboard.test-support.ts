import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extractArchive, kitLimits, packageKit, requestCertificate } from "@flare-ts/provision";
import { type Kit, readKit } from "@flare-ts/provision/kit";
import { afterEach } from "vitest";
import { downloadKit } from "../contract/kits.js";
import { freezeProject, updateProject } from "../contract/project.js";
import { createSite, decideSite, getParticipantFile, getSite, type Site, uploadSiteRequest } from "../contract/sites.js";
import type { DashboardComponents } from "../open-dashboard.js";
import { type DatabaseKind, startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";
import { sealingPassphrase } from "./ca-passphrase.js";

/** Passphrase of the CA in tests. */
export const caPassphrase = "four words of passphrase";

/** The project of tests; keys on a curve are made a hundred times as fast. */
export const testProject = {
  name: "cancer",
  title: "Lungs",
  server: { name: "localhost", port: 8002, hosts: ["127.0.0.1"], organization: "consortium" },
  certificates: { keyType: "p256" },
} as const;

/** A dashboard whose project is frozen, with its project admin and the org admin of hospital_a. */
export interface FrozenDashboard {
  readonly dashboard: TestDashboard;
  readonly admin: TestPerson;
  readonly orgAdmin: TestPerson;
}

/** Starts a dashboard and freezes its project. */
export async function startFrozenDashboard(
  kind: DatabaseKind,
  components: DashboardComponents = {},
  certificates: { readonly renewal?: "none" } = {},
): Promise<FrozenDashboard> {
  const dashboard = await startTestDashboard(kind, {}, components);
  const admin = await dashboard.person({ role: "project_admin", organization: "consortium", email: "admin@example.org" });
  const orgAdmin = await dashboard.person({ role: "org_admin", organization: "hospital_a", email: "org@a.example.org" });
  await admin.call(updateProject, {
    body: {
      ...testProject,
      server: { ...testProject.server, hosts: ["127.0.0.1"] },
      certificates: { ...testProject.certificates, ...certificates },
    },
  });
  await freeze(dashboard, admin);
  return { dashboard, admin, orgAdmin };
}

/** Freezes the project of a dashboard, with a key of the passphrase that is made once for all dashboards of a file. */
export async function freeze({ dashboard }: TestDashboard, admin: TestPerson): Promise<void> {
  dashboard.parts.kits.parts.passphrase.set(sealedOnce);
  await admin.call(freezeProject, { body: { passphrase: caPassphrase } });
}

/** What scrypt makes of the passphrase is the same for every dashboard of a file's tests: it takes as long as all the rest of freezing. */
const sealedOnce = sealingPassphrase(caPassphrase);

/** Adds a site as its org admin and approves it. */
export async function addSite({ admin, orgAdmin }: Pick<FrozenDashboard, "admin" | "orgAdmin">, name = "hospital-a"): Promise<Site> {
  const { id } = await orgAdmin.call(createSite, { body: { name, capacity: { gpus: 2, memPerGpuGiB: 16 } } });
  return await admin.call(decideSite, { params: { id }, body: { decision: "approve" } });
}

/** What an operator does: downloads a kit's archive, and opens it with the passphrase. */
export async function takeKit(
  person: TestPerson,
  { kit, passphrase }: { kit: { id: string; participant: string }; passphrase: string },
): Promise<Kit> {
  const response = await person.call(downloadKit, { params: { id: kit.id } });
  return await openKit(new Uint8Array(await response.arrayBuffer()), kit.participant, passphrase);
}

/** Opens the archive of a kit. */
export async function openKit(archive: Uint8Array, participant: string, passphrase: string): Promise<Kit> {
  const dir = temporaryFolder();
  await writeFile(join(dir, "kit.zip"), archive);
  await extractArchive({ file: join(dir, "kit.zip"), dir: join(dir, "open"), limits: kitLimits, passphrase, privateKeys: "allowed" });
  return await readKit(join(dir, "open", participant));
}

/** The own machine of a site or person: it makes a key, asks, and makes its kit of the answer. */
export class SiteMachine {
  readonly dir = temporaryFolder();
  readonly #now: Date;

  constructor(nowMs: number) {
    this.#now = new Date(nowMs);
  }

  /** Makes a key and a request by the participant file that the dashboard gives. */
  async request(person: TestPerson, site: Pick<Site, "id">, change: (file: string) => string = (file) => file): Promise<Uint8Array> {
    return await this.requestBy(change(await (await person.call(getParticipantFile, { params: { id: site.id } })).text()));
  }

  /** Makes a key and a request by a participant file. */
  async requestBy(file: string): Promise<Uint8Array> {
    const participantFile = join(this.dir, "participant.yaml");
    await writeFile(participantFile, file);
    const init = {
      participantFile,
      baseDir: this.dir,
      home: join(this.dir, "home"),
      keyType: "p256",
      isForced: true,
      now: this.#now,
    } as const;
    const { archive } = await requestCertificate(init);
    return await readFile(archive);
  }

  /** Uploads a request. */
  async upload(person: TestPerson, site: Pick<Site, "id">): Promise<Site> {
    const body = await this.request(person, site);
    return await person.call(uploadSiteRequest, { params: { id: site.id }, body });
  }

  /** Downloads the answer and makes the kit. */
  async makeKit(person: TestPerson, siteId: string, fingerprint: string): Promise<Kit> {
    const { kit } = await person.call(getSite, { params: { id: siteId } });
    const response = await person.call(downloadKit, { params: { id: kit?.id ?? "" } });
    return await this.makeKitOf(new Uint8Array(await response.arrayBuffer()), fingerprint);
  }

  /** Makes the kit of an answer. */
  async makeKitOf(answer: Uint8Array, fingerprint: string): Promise<Kit> {
    const archive = join(this.dir, "signed.zip");
    await writeFile(archive, answer);
    const init = {
      archive,
      workspace: join(this.dir, "workspace"),
      fingerprint,
      home: join(this.dir, "home"),
      isForced: true,
      now: this.#now,
    };
    return await readKit((await packageKit(init)).dir);
  }
}

const folders: string[] = [];

/** A folder that goes when the test ends. */
function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "flare-kits-"));
  folders.push(dir);
  return dir;
}

afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});
