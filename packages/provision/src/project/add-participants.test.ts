import { describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { projectText } from "../../test/project-text.js";
import { type AddedParticipant } from "./add-participants.js";
import { parseProject } from "./parse-project.js";

const parse = (...added: AddedParticipant[]) => parseProject(projectText(), "project.yml", { added });
const problemOf = async (added: AddedParticipant): Promise<object | undefined> =>
  (await errorOf(Promise.resolve().then(() => parse(added)))).problems[0];

describe("participants of files of their own", () => {
  it("join those of the project file", () => {
    const { participants } = parse(
      { type: "admin", file: "user.yml", text: "name: bob@example.org\norg: consortium\nrole: member\n" },
      { type: "client", file: "client.yml", text: "name: hospital-b\norg: b\ncomponents: { resource_manager: { path: x } }\n" },
    );
    expect(participants.slice(-2)).toMatchObject([
      { type: "admin", name: "bob@example.org", role: "member" },
      { type: "client", name: "hospital-b", org: "b" },
    ]);
  });

  it("bring mistakes and warnings with their own file and line", async () => {
    expect(await problemOf({ type: "admin", file: "user.yml", text: "name: bob\norg: x\nrole: lead\n" })).toMatchObject({
      file: "user.yml",
      line: 1,
    });
    expect(await problemOf({ type: "client", file: "c.yml", text: "\nname: hospital-a\norg: x\n" })).toMatchObject({
      file: "c.yml",
      line: 2,
      message: "two participants are called 'hospital-a'",
    });
    expect(await problemOf({ type: "admin", file: "user.yml", text: "- bob@example.org\n" })).toMatchObject({
      file: "user.yml",
      line: 1,
      message: "must be a map with name, org and role",
    });
    expect(parse({ type: "client", file: "c.yml", text: "name: b\norg: x\ncomponents: {}\n" }).warnings).toMatchObject([
      { file: "c.yml", line: 3 },
    ]);
  });
});
