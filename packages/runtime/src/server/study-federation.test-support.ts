import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { type ServerMessage, SiteHelloSchema, SiteMessageSchema } from "@flare-ts/contracts/wire";
import { vi } from "vitest";
import type { AdminSession } from "../admin/admin-session.js";
import { connectAdmin } from "../admin/connect-admin.js";
import { adminName, createSmallFederation, otherAdminName, type SmallFederation } from "../process/small-federation.test-support.js";
import type { Connection } from "../transport/connection.js";
import { type RunningServer, startServer } from "./start-server.js";

/** A site that attaches, listens and does nothing else. */
export interface ListeningSite {
  readonly connection: Connection;
  readonly heard: ServerMessage["message"][];
}

/** Sessions of two admins: a project_admin, who is a user of `lungs`, and a lead, who is one of `hearts`. */
export interface StudySessions {
  readonly lungs: AdminSession;
  readonly hearts: AdminSession;
  /** In the study of everybody. */
  readonly projectAdmin: AdminSession;
  readonly lead: AdminSession;
}

/** A running server with the studies `lungs` at site-1 and `hearts` at site-2; both sites are attached. */
export class StudyFederation {
  readonly federation: SmallFederation;
  readonly #sites = new Map<string, ListeningSite>();
  #server: RunningServer | undefined;
  #sessions: StudySessions | undefined;

  private constructor(federation: SmallFederation) {
    this.federation = federation;
  }

  static async create(): Promise<StudyFederation> {
    const studies = {
      lungs: { site_orgs: { o: ["site-1"] }, admins: [adminName] },
      hearts: { site_orgs: { o: ["site-2"] }, admins: [otherAdminName] },
    };
    const made = new StudyFederation(await createSmallFederation({ otherRole: "lead", studies }));
    await made.start();
    return made;
  }

  get sessions(): StudySessions {
    if (this.#sessions === undefined) throw new TypeError("the server does not run");
    return this.#sessions;
  }

  get serverDir(): string {
    return this.federation.kitDir("localhost");
  }

  connect(name: string, study?: string): Promise<AdminSession> {
    return connectAdmin({ kitDir: this.federation.kitDir(name), study });
  }

  async start(): Promise<void> {
    this.#server = await startServer({ kitDir: this.serverDir });
    for (const name of ["site-1", "site-2"]) await this.attach(name);
    const [lungs, hearts] = [await this.connect(adminName, "lungs"), await this.connect(otherAdminName, "hearts")];
    this.#sessions = { lungs, hearts, projectAdmin: await this.connect(adminName), lead: await this.connect(otherAdminName) };
  }

  async stop(): Promise<void> {
    for (const session of Object.values(this.sessions) as AdminSession[]) session.close();
    for (const { connection } of this.#sites.values()) connection.close();
    this.#sites.clear();
    await this.#server?.stop();
  }

  async dispose(): Promise<void> {
    await this.stop();
    await this.federation.dispose();
  }

  /** Attaches a site, again if it was; resolves when it was told the state that the server wants. */
  async attach(name: string): Promise<void> {
    this.#sites.get(name)?.connection.close();
    const connection = await vi.waitFor(() => this.federation.dial(name), 20_000);
    const heard: ListeningSite["heard"] = [];
    const welcomed = Promise.withResolvers<void>();
    const stream = connection.attach(({ message }) => {
      heard.push(message);
      if (message.case === "desired") welcomed.resolve();
    });
    const value = create(SiteHelloSchema, { softwareVersion: "test" });
    await stream.write(create(SiteMessageSchema, { message: { case: "hello", value } }));
    await welcomed.promise;
    this.#sites.set(name, { connection, heard });
  }

  site(name: string): ListeningSite {
    const site = this.#sites.get(name);
    if (site === undefined) throw new TypeError(`${name} is not attached`);
    return site;
  }

  /** Jobs that a site was told to take part in, since it attached. */
  deployed(name: string): string[] {
    return this.site(name).heard.flatMap((message) => {
      if (message.case === "deploy") return [message.value.jobId];
      return message.case === "desired" ? message.value.jobs.map(({ jobId }) => jobId) : [];
    });
  }

  /** Jobs that a site was told to end. */
  ended(name: string): string[] {
    return this.site(name).heard.flatMap((message) => (message.case === "endJob" ? [message.value.jobId] : []));
  }

  /** A job for every site that there is, with further keys of meta.json. */
  writeJob(meta: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return this.federation.writeJob([], { meta: { deploy_map: { app: ["@ALL"] }, ...meta } });
  }

  /** Submits a job, and waits until it runs. */
  async run(session: AdminSession): Promise<string> {
    const { jobId } = await session.submitJob(await this.writeJob());
    await vi.waitFor(async () => {
      if ((await session.jobMeta(jobId)).status !== "RUNNING") throw new Error(`job ${jobId} does not run`);
    }, 20_000);
    return jobId;
  }
}

/** The code that something is refused with, or `done`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return FlareError.from(error).code;
  }
}

export async function first<T>(events: AsyncIterable<T>): Promise<T | undefined> {
  for await (const event of events) return event;
  return undefined;
}
