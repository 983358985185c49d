import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { projectText } from "../../test/project-text.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { parseProject } from "./parse-project.js";
import type { Project } from "./project.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.dir, name)), { recursive: true });
    await writeFile(join(folder.dir, name), text);
  }
}

const parse = (text: string): Project => parseProject(text, join(folder.dir, "project.yml"));
const problemOf = async (text: string): Promise<object | undefined> =>
  (await errorOf(Promise.resolve().then(() => parse(text)))).problems[0];

describe("include", () => {
  it("takes over the keys of another file; what stands later wins", async () => {
    await write({ "a.yml": "description: of a\nconnection_security: tls\n", "b.yml": "description: of b\n" });
    expect(parse(projectText({ 3: "include: [a.yml, b.yml]" }))).toMatchObject({
      description: "of b",
      server: { connectionSecurity: "tls" },
    });
    expect(parse(projectText({ 3: "include: a.yml\ndescription: own" })).description).toBe("own");
    expect(parse(projectText({ 3: "description: own\ninclude: a.yml" })).description).toBe("of a");
  });

  it("stands anywhere, and is found from the file that it stands in", async () => {
    await write({
      "parts/site.yml": "type: client\ninclude: more/org.yml\n",
      "parts/more/org.yml": "org: hospital_b\n",
    });
    const project = parse(projectText({ 13: "  - { name: hospital-b, include: parts/site.yml }" }));
    expect(project.participants[2]).toMatchObject({ name: "hospital-b", org: "hospital_b" });
  });

  it("brings mistakes and warnings with file and line", async () => {
    await write({ "parts/site.yml": "type: client\norg: b\nparent: nobody\nuse_aio: true\n" });
    const text = projectText({ 13: "  - { name: hospital-b, include: parts/site.yml }" });
    const file = join(folder.dir, "parts/site.yml");
    expect(await problemOf(text)).toMatchObject({ file, line: 3, message: expect.stringContaining("'nobody', the parent of") as unknown });
    await write({ "parts/site.yml": "type: client\norg: b\nuse_aio: true\n" });
    expect(parse(text).warnings).toMatchObject([{ file, line: 3 }]);
    await write({ "parts/site.yml": "type: client\norg: [b\n" });
    expect(await problemOf(text)).toMatchObject({ file, line: 3 });
    await write({ "parts/site.yml": "- a list\n" });
    expect(await problemOf(text)).toMatchObject({ file, line: 1, message: expect.stringContaining("is not a map of keys") as unknown });
  });

  it("refuses circles, and names the way", async () => {
    await write({ "a.yml": "include: b.yml\n", "b.yml": "\ninclude: ./a.yml\n" });
    const problem = await problemOf(projectText({ 3: "include: a.yml" }));
    expect(problem).toMatchObject({ file: join(folder.dir, "b.yml"), line: 2 });
    expect(problem).toMatchObject({
      message: expect.stringMatching(/project\.yml includes .*a\.yml includes .*b\.yml includes .*a\.yml: that is a circle$/) as unknown,
    });
  });

  it("refuses what links lead out to", async () => {
    const outside = await temporaryFolder();
    try {
      await writeFile(join(outside.dir, "x.yml"), "description: of elsewhere\n");
      await symlink(join(outside.dir, "x.yml"), join(folder.dir, "x.yml"));
      expect(await problemOf(projectText({ 3: "include: x.yml" }))).toMatchObject({
        line: 3,
        message: "the included file 'x.yml' does not lie below the folder of the project file",
      });
    } finally {
      await outside.remove();
    }
  });

  it("ends, however often files include each other twice", async () => {
    const count = 30;
    const files = Array.from({ length: count }, (_, index): [string, string] => [
      `f${index}.yml`,
      index + 1 < count ? `include: [f${index + 1}.yml, f${index + 1}.yml]\n` : "description: last\n",
    ]);
    await write(Object.fromEntries(files));
    expect(await problemOf(projectText({ 3: "include: f0.yml" }))).toMatchObject({ message: "includes more than 100 files" });
  });
});
