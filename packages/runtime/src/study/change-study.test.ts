import { describe, expect, it } from "vitest";
import { addSites, addUser, registerStudy, removeSites, removeStudy, removeUser, type StudyRequest, showStudy } from "./change-study.js";
import { Studies } from "./studies.js";
import type { StudyCaller } from "./study-rights.js";

const root: StudyCaller = { name: "root@o.org", org: "o", role: "project_admin" };
const ann: StudyCaller = { name: "ann@a.org", org: "a", role: "org_admin" };
const bob: StudyCaller = { name: "bob@b.org", org: "b", role: "org_admin" };
const studies = Studies.from({
  format_version: "1.0",
  studies: { lungs: { site_orgs: { a: ["a-1"], c: ["c-1"] }, admins: ["lead@a.org"] } },
});
const by = (caller: StudyCaller, name = "lungs", from = studies): StudyRequest => ({ studies: from, caller, name });
const isSeen = (site: string, org: string): boolean => site.startsWith(`${org}-`);
const code = (value: string) => expect.objectContaining({ code: value }) as Error;

describe("an org_admin", () => {
  it("registers a study with sites of the own organisation, and is one of its users", () => {
    const { studies: after } = registerStudy(by(bob, "new"), { sites: ["b-1", "b-2"] }, isSeen);
    expect(showStudy(by(bob, "new", after))).toEqual({
      name: "new",
      site_orgs: { b: ["b-1", "b-2"] },
      sites: ["b-1", "b-2"],
      users: ["bob@b.org"],
    });
  });

  it("changes a study in which the organisation has a site, but only the own sites", () => {
    const { studies: after, answer } = addSites(by(ann), { sites: ["a-1", "a-2"] }, isSeen);
    expect(answer).toMatchObject({ added: ["a-2"], already_enrolled: ["a-1"], sites: ["a-1", "a-2", "c-1"] });
    expect(removeSites(by(ann, "lungs", after), { sites: ["a-2", "c-1"] }).answer).toMatchObject({
      removed: ["a-2"],
      not_enrolled: ["c-1"],
      sites: ["a-1", "c-1"],
    });
    expect(() => addSites(by(ann), { sites: ["c-2"] }, isSeen)).toThrow(code("study/site-unknown"));
    expect(() => addSites(by(ann), { site_orgs: { c: ["c-2"] } }, isSeen)).toThrow(code("study/wrong-arguments"));
  });

  it("is told of a study of others what is told of one that is not there", () => {
    const asks: readonly ((request: StudyRequest) => unknown)[] = [
      showStudy,
      removeStudy,
      (request) => addSites(request, { sites: ["b-1"] }, isSeen),
      (request) => removeSites(request, { sites: ["b-1"] }),
      (request) => addUser(request, "x@b.org"),
      (request) => removeUser(request, "lead@a.org"),
    ];
    for (const ask of asks) {
      const [there, absent] = ["lungs", "absent"].map((name) => messageOf(() => ask(by(bob, name))).replace(name, "…"));
      expect(there).toBe("There is no study '…'.");
      expect(absent).toBe(there);
    }
    // A name can be used once; who registers one that is taken must be told.
    expect(() => registerStudy(by(bob), { sites: ["b-1"] }, isSeen)).toThrow(code("study/exists"));
  });

  it("loses sight of a study with the last site of the organisation", () => {
    const { studies: after } = removeSites(by(ann), { sites: ["a-1"] });
    expect(() => showStudy(by(ann, "lungs", after))).toThrow(code("study/not-found"));
    expect(showStudy(by(root, "lungs", after))).toMatchObject({ site_orgs: { c: ["c-1"] } });
  });
});

describe("a project_admin", () => {
  it("names sites with their organisations, and has a site that changed its organisation stand in one place", () => {
    const seenAnywhere = (): boolean => true;
    expect(() => addSites(by(root), { sites: ["a-2"] }, isSeen)).toThrow(code("study/wrong-arguments"));
    expect(() => addSites(by(root), { site_orgs: { a: ["a-2"], c: ["a-2"] } }, seenAnywhere)).toThrow(code("study/wrong-arguments"));
    expect(() => addSites(by(root), { site_orgs: { a: [] } }, isSeen)).toThrow(code("study/wrong-arguments"));
    expect(() => addSites(by(root), {}, isSeen)).toThrow(code("study/wrong-arguments"));
    expect(addSites(by(root), { site_orgs: { d: ["a-1"] } }, seenAnywhere).answer).toMatchObject({ site_orgs: { c: ["c-1"], d: ["a-1"] } });
  });

  it("adds and removes users, each once", () => {
    const { studies: after } = addUser(by(root), "new@c.org");
    expect(after.hasUser("lungs", "new@c.org")).toBe(true);
    expect(() => addUser(by(root, "lungs", after), "new@c.org")).toThrow(code("study/user-there"));
    expect(removeUser(by(root, "lungs", after), "new@c.org").studies.hasUser("lungs", "new@c.org")).toBe(false);
    expect(() => removeUser(by(root), "new@c.org")).toThrow(code("study/user-not-there"));
  });

  it("changes nothing with what changes nothing, so that nothing is written", () => {
    expect(addSites(by(root), { site_orgs: { a: ["a-1"] } }, isSeen).studies).toBe(studies);
    expect(removeSites(by(root), { site_orgs: { a: ["a-9"], x: ["x-1"] } }).studies).toBe(studies);
  });

  it("cannot change the study of everybody, nor use a name that is none", () => {
    for (const name of ["default", "Lungs", "-x", "", "a".repeat(64), "__proto__"])
      expect(() => registerStudy(by(root, name), { site_orgs: { a: ["a-1"] } }, isSeen)).toThrow(code("study/invalid-name"));
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
