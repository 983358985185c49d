import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { projectText } from "../../test/project-text.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import { type ProvisionInit, type ProvisionResult, provision } from "../provision.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

/** Provisions the example project with the given modules in its custom folder, named at lines of the project file. */
async function provisionWith(
  modules: Readonly<Record<string, string>>,
  lines: Parameters<typeof projectText>[0],
  rest: Partial<ProvisionInit> = {},
): Promise<ProvisionResult> {
  const customFolder = join(folder.dir, "custom folder");
  await mkdir(customFolder, { recursive: true });
  for (const [name, text] of Object.entries(modules)) await writeFile(join(customFolder, name), text);
  const projectFile = join(folder.dir, "project.yml");
  await writeFile(projectFile, projectText({ 3: "certificates: { key_type: p256 }", ...lines }));
  return await provision({ projectFile, workspace: join(folder.dir, "workspace"), customFolder, caKey: "clear", ...rest });
}

const telling = (name: string): string => `
import { appendFileSync, existsSync } from "node:fs";
export default class {
  constructor(args) { this.file = args.log; }
  tell(what, context) {
    const kits = existsSync(context.kitDir("hospital-a")) ? "with kits" : "without kits";
    appendFileSync(this.file, "${name} " + what + " " + kits + "\\n");
  }
  initialize(context) { this.tell("initialize", context); }
  async build(context) { await null; this.tell("build", context); }
  finalize(context) { this.tell("finalize", context); }
}
`;

describe("builders of the user's", () => {
  it("are initialized before there are kits, build in order, and finalize in the reverse order", async () => {
    const file = join(folder.dir, "log");
    await provisionWith(
      { "a.mjs": telling("a"), "b.mjs": telling("b") },
      { 18: `builders:\n  - { path: ./a.mjs, args: { log: "${file}" } }\n  - { path: b.mjs, args: { log: "${file}" } }` },
    );
    expect((await readFile(file, "utf8")).trim().split("\n")).toEqual([
      "a initialize without kits",
      "b initialize without kits",
      "a build with kits",
      "b build with kits",
      "b finalize with kits",
      "a finalize with kits",
    ]);
  });

  it("may add to what is signed, and change it", async () => {
    const module = `
      import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
      import { join } from "node:path";
      export const notes = {
        build({ kitDir, project, shared, warn, resourcesDir }, args) {
          shared.set("seen", project.name);
          warn("notes are no secret");
          mkdirSync(resourcesDir);
          for (const { name } of project.participants) {
            mkdirSync(join(kitDir(name), "startup", "notes"));
            writeFileSync(join(kitDir(name), "startup", "notes", "a.txt"), args.text);
            appendFileSync(join(kitDir(name), "startup", "rootCA.pem"), "");
          }
        },
        finalize({ shared, kitsDir }) { writeFileSync(join(kitsDir, "seen.txt"), shared.get("seen")); },
      };`;
    const { prodDir, kits, warnings } = await provisionWith(
      { "notes.mjs": module },
      {
        22: "  - path: ./notes.mjs#notes\n    args: { text: hello }",
        23: "",
        24: "",
      },
    );
    for (const { dir } of kits) await verifyKit(await readKit(dir));
    expect(await readFile(join(prodDir, "hospital-a/startup/notes/a.txt"), "utf8")).toBe("hello");
    expect(await readFile(join(prodDir, "seen.txt"), "utf8")).toBe("example_project");
    expect((await readdir(join(folder.dir, "workspace/example_project"))).sort()).toEqual([
      prodDir.split("/").at(-1),
      "resources",
      "state",
    ]);
    expect(warnings).toMatchObject([{ line: 22, message: "notes are no secret" }]);
    await writeFile(join(prodDir, "hospital-a/startup/notes/a.txt"), "bye");
    expect((await errorOf(readKit(join(prodDir, "hospital-a")).then(verifyKit))).code).toBe("kit/signature-mismatch");
  });

  it.each(["initialize", "build", "finalize"])("that fail in %s leave nothing", async (method) => {
    const error = await errorOf(
      provisionWith(
        { "bad.mjs": `export default { async ${method}() { throw new Error("no space left"); } };` },
        { 18: "builders:\n  - { path: ./bad.mjs }" },
      ),
    );
    expect(error).toMatchObject({
      code: "project/plugin-failed",
      message: `./bad.mjs failed in ${method}.`,
      problems: [{ file: join(folder.dir, "project.yml"), line: 19, message: "no space left" }],
    });
    expect(existsSync(join(folder.dir, "workspace"))).toBe(false);
  });

  it.each([
    ["throws when it is loaded", "throw new Error('not today');", "project/plugin-failed", "not today"],
    ["is no JavaScript", "export default {", "project/plugin-failed", "Unexpected|syntax"],
    ["throws when it is made", "export default class { constructor() { throw new Error('no'); } }", "project/plugin-failed", "no"],
    ["exports something else", "export const other = {};", "project/invalid", "exports no class or object 'default'; it exports other"],
    ["has no method", "export default { start() {} };", "project/invalid", "has no method initialize, build, finalize"],
  ])("that %s are refused with their line, and nothing is written", async (_, module, code, message) => {
    const error = await errorOf(provisionWith({ "x.mjs": module }, { 18: "builders:\n  - { path: ./x.mjs }" }));
    expect(error).toMatchObject({ code, problems: [{ line: 19, message: expect.stringMatching(message) as unknown }] });
    expect(existsSync(join(folder.dir, "workspace"))).toBe(false);
  });

  it("lie below the custom folder, where links do not lead out of", async () => {
    await writeFile(join(folder.dir, "outside.mjs"), "export default { build() {} };");
    await mkdir(join(folder.dir, "custom folder"));
    await symlink(join(folder.dir, "outside.mjs"), join(folder.dir, "custom folder", "link.mjs"));
    for (const path of ["../outside.mjs", "./link.mjs"]) {
      const error = await errorOf(provisionWith({}, { 18: `builders:\n  - { path: ${path} }` }));
      expect(error.problems).toMatchObject([
        { line: 19, message: expect.stringContaining("does not lie below the custom folder") as unknown },
      ]);
    }
  });
});

describe("a packager of the user's", () => {
  const listing = `
    import { readdirSync, writeFileSync } from "node:fs";
    export default class {
      constructor(args) { this.out = args.out; }
      package({ kitsDir }) { writeFileSync(this.out, kitsDir + ": " + readdirSync(kitsDir).sort().join(" ")); }
    }`;

  it("gets the finished kits", async () => {
    const out = join(folder.dir, "list.txt");
    const { prodDir } = await provisionWith(
      { "list.mjs": listing },
      { 18: `packager: { path: ./list.mjs, args: { out: "${out}" } }\nbuilders:` },
    );
    expect(await readFile(out, "utf8")).toBe(`${prodDir}: admin@example.org hospital-a server1.example.org`);
  });

  it("that fails leaves the kits, complete", async () => {
    const module = "export default { package() { throw new Error('disk full'); } };";
    const error = await errorOf(provisionWith({ "bad.mjs": module }, { 18: "packager: { path: ./bad.mjs }\nbuilders:" }));
    expect(error).toMatchObject({ code: "project/plugin-failed", problems: [{ line: 18, message: "disk full" }] });
    const dir = join(folder.dir, "workspace/example_project/prod_00/hospital-a");
    await verifyKit(await readKit(dir));
  });
});
