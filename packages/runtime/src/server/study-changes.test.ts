import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signCommand } from "../admin/signed-command.js";
import type { StudyCommands } from "../admin/study-commands.js";
import { adminName, otherAdminName } from "../process/small-federation.test-support.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Connection } from "../transport/connection.js";
import { codeOf, first, StudyFederation } from "./study-federation.test-support.js";

let studies: StudyFederation;
let lungsJob: string;
/** A job of `hearts` at both sites, of a user who is removed. */
let heartsJob: string;

beforeAll(async () => {
  studies = await StudyFederation.create();
  lungsJob = await studies.run(studies.sessions.lungs);
});
afterAll(() => studies.dispose());

describe("studies are changed", () => {
  const site = { siteOrgs: { o: ["site-1"] } };
  it.each<[string, (commands: StudyCommands) => Promise<unknown>]>([
    ["register", (commands) => commands.register("mine", site)],
    ["add a site", (commands) => commands.addSites("hearts", site)],
    ["remove a site", (commands) => commands.removeSites("hearts", site)],
    ["add a user", (commands) => commands.addUser("hearts", adminName)],
    ["remove a user", (commands) => commands.removeUser("hearts", otherAdminName)],
    ["remove", (commands) => commands.remove("hearts")],
    ["show", (commands) => commands.show("hearts")],
  ])("not by a lead: %s", async (_what, command) => {
    expect(await codeOf(command(studies.sessions.lead.studies))).toBe("auth/not-authorized");
  });

  it("with a list for everybody, of the studies that each may see", async () => {
    const { lead, projectAdmin } = studies.sessions;
    const own = { studies: ["hearts"], study_details: [{ name: "hearts", can_submit_job: true }] };
    expect(await lead.studies.list()).toMatchObject(own);
    expect(await projectAdmin.studies.list()).toMatchObject({
      studies: ["hearts", "lungs"],
      study_details: [{ can_submit_job: false }, { can_submit_job: true }],
    });
  });

  it("by sites that the server has seen; a refusal leaves no trace", async () => {
    const commands = studies.sessions.projectAdmin.studies;
    expect(await codeOf(commands.register("new", { siteOrgs: { o: ["site-9"] } }))).toBe("study/site-unknown");
    expect(await codeOf(commands.register("new", { siteOrgs: { other: ["site-1"] } }))).toBe("study/site-unknown");
    expect(await codeOf(commands.register("default", site))).toBe("study/invalid-name");
    await expect(stat(registryFile())).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("for the jobs that come when a site is added, and at once when a user is", async () => {
    const { projectAdmin, hearts } = studies.sessions;
    expect(await projectAdmin.studies.addSites("hearts", { siteOrgs: { o: ["site-1", "site-2"] } })).toMatchObject({
      added: ["site-1"],
      already_enrolled: ["site-2"],
      sites: ["site-1", "site-2"],
    });
    await projectAdmin.studies.addUser("hearts", adminName);
    const inHearts = await studies.connect(adminName, "hearts");
    heartsJob = await studies.run(inHearts);
    expect(await hearts.jobMeta(heartsJob)).toMatchObject({ sites: ["site-1", "site-2"], submitterName: adminName });
    inHearts.close();
  });

  it("at once when a user is removed: what the user watches ends, and what the user may download", async () => {
    const inHearts = await studies.connect(adminName, "hearts");
    const streams = [inHearts.watchSystem(), inHearts.watchJob(heartsJob), inHearts.watchJobOutput(heartsJob, { metricsAfter: 0 })];
    const watched = Promise.all(streams.map((events) => codeOf(drain(events))));
    const connection = await studies.federation.dial(adminName);
    const signed = await cloneOf(connection, heartsJob);
    expect(await first(connection.download(signed, 0))).toMatchObject({ offset: 0 });
    await studies.sessions.projectAdmin.studies.removeUser("hearts", adminName);
    expect(await watched).toEqual(Array.from({ length: 3 }, () => "study/not-a-member"));
    expect(await codeOf(first(connection.download(signed, 0)))).toBe("transfer/not-allowed");
    expect(await codeOf(inHearts.jobMeta(heartsJob))).toBe("study/not-a-member");
    // The user's job stays with the study.
    expect(await studies.sessions.hearts.jobMeta(heartsJob)).toMatchObject({ submitterName: adminName, status: "RUNNING" });
    inHearts.close();
  });

  it("at once when a site is removed: it leaves the jobs that run, and the others go on", async () => {
    const { projectAdmin, hearts } = studies.sessions;
    expect(await projectAdmin.studies.removeSites("hearts", { siteOrgs: { o: ["site-1", "site-9"] } })).toMatchObject({
      removed: ["site-1"],
      not_enrolled: ["site-9"],
    });
    const { entries } = await hearts.jobEvents(heartsJob);
    const left = entries.flatMap(({ event }) => (event.type === "site-left" ? [event] : []));
    expect(left).toMatchObject([{ site: "site-1", error: { code: "study/site-removed" } }]);
    await expect.poll(() => studies.ended("site-1")).toContain(heartsJob);
    expect(studies.ended("site-2")).toEqual([]);
    expect((await hearts.status()).sites).toMatchObject([{ name: "site-2", jobs: [heartsJob] }]);
    // It is not deployed again when the site comes back.
    await studies.attach("site-1");
    expect(studies.deployed("site-1")).toEqual([lungsJob]);
  });

  it("for good: a restart finds them as they were, in the server's folder and not in the kit", async () => {
    const kitFile = join(studies.serverDir, "local", "study_registry.json");
    const kit = await readFile(kitFile, "utf8");
    const before = await studies.sessions.projectAdmin.studies.show("hearts");
    await studies.stop();
    await studies.start();
    expect(await studies.sessions.projectAdmin.studies.show("hearts")).toEqual(before);
    expect(JSON.parse(await readFile(registryFile(), "utf8"))).toMatchObject({ studies: { hearts: { site_orgs: { o: ["site-2"] } } } });
    expect(await readFile(kitFile, "utf8")).toBe(kit);
    expect(studies.deployed("site-2")).toEqual([heartsJob]);
    expect(studies.deployed("site-1")).toEqual([lungsJob]);
  });

  it("by removal only when a study has no jobs", async () => {
    const { projectAdmin, hearts } = studies.sessions;
    expect(await codeOf(projectAdmin.studies.remove("hearts"))).toBe("study/has-jobs");
    await projectAdmin.studies.addUser("hearts", adminName);
    const inHearts = await studies.connect(adminName, "hearts");
    await inHearts.abortJob(heartsJob);
    // Its processes may still be stopping.
    await vi.waitFor(() => inHearts.deleteJob(heartsJob), 30_000);
    inHearts.close();
    await projectAdmin.studies.remove("hearts");
    expect(await codeOf(hearts.listJobs())).toBe("study/unknown");
    expect(await codeOf(projectAdmin.studies.show("hearts"))).toBe("study/not-found");
  });

  it("in the audit log, which names the study of every command", async () => {
    const text = await readFile(join(studies.serverDir, "audit.log"), "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    for (const line of [
      { who: adminName, action: "remove_study_user", outcome: "allowed", facts: { study: "hearts", user: adminName } },
      { who: adminName, action: "submit_job", study: "lungs", outcome: "allowed" },
      { who: adminName, action: "get_job_meta", study: "hearts", outcome: "refused", code: "study/not-a-member" },
      { who: otherAdminName, action: "register_study", outcome: "refused", code: "auth/not-authorized" },
    ])
      expect(lines).toContainEqual(expect.objectContaining(line));
  });
});

function registryFile(): string {
  return join(studies.serverDir, "study_registry.json");
}

/** What a console is told that clones a job of `hearts`. */
async function cloneOf(connection: Connection, jobId: string): Promise<ObjectRef> {
  const { keys, sessionId } = connection;
  const { certificatePem, privateKeyPem } = keys;
  const command = { verb: "clone_job", args: { job_id: jobId }, project: "small", study: "hearts" } as const;
  const reply = await connection.execute(signCommand({ ...command, sessionId, certificatePem, privateKeyPem, nowMs: Date.now() }));
  return (JSON.parse(reply.resultJson) as { readonly signed_job: ObjectRef }).signed_job;
}

async function drain(events: AsyncIterable<object>): Promise<void> {
  for await (const _ of events);
}
