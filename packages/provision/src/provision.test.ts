import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../test/error-of.js";
import { provisionExample } from "../test/provision-example.js";
import { temporaryFolder } from "../test/temporary-folder.js";
import { provision } from "./provision.js";

const dayMs = 24 * 60 * 60 * 1000;
const now = new Date("2026-11-01T12:00:00Z");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const projectDir = (): string => join(folder.dir, "workspace", "example_project");
const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), "utf8"));
const mode = async (...path: string[]): Promise<string> => ((await stat(join(...path))).mode & 0o777).toString(8);
const certificateOf = async (kit: string, file: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(join(kit, "startup", file)));

async function tree(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1) + (entry.isDirectory() ? "/" : "")).sort();
}

describe("provision", () => {
  it("writes FLARE's folders, nothing more, with keys for their owner only", async () => {
    const { prodDir, kits, warnings } = await provisionExample(folder.dir);
    expect(warnings).toEqual([]);
    expect(prodDir).toBe(join(projectDir(), "prod_00"));
    expect(kits).toEqual([
      { name: "server1.example.org", type: "server", dir: join(prodDir, "server1.example.org"), identity: "new" },
      { name: "hospital-a", type: "client", dir: join(prodDir, "hospital-a"), identity: "new" },
      { name: "admin@example.org", type: "admin", dir: join(prodDir, "admin@example.org"), identity: "new" },
    ]);
    expect((await readdir(projectDir())).sort()).toEqual(["prod_00", "state"]);
    expect(await mode(projectDir(), "state")).toBe("700");
    expect(await mode(projectDir(), "state/cert.json")).toBe("600");
    expect(await mode(prodDir, "server1.example.org/startup/server.key")).toBe("600");
    expect(await mode(prodDir, "hospital-a/startup/client.key")).toBe("600");
    expect(await mode(prodDir, "hospital-a/startup/start.sh")).toBe("755");
  });

  it("writes a client's capacity and the signing of jobs where the project says so", async () => {
    const { prodDir } = await provisionExample(folder.dir, {
      13: "    capacity: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 }",
      21: "      require_signed_jobs: true",
    });
    expect(await json(prodDir, "hospital-a/local/resources.json.default")).toMatchObject({
      components: [{ id: "resource_manager", args: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 } }],
    });
    expect(await json(prodDir, "server1.example.org/startup/fed_server.json")).toMatchObject({ require_signed_jobs: true });
  });

  it("lets no leaf outlive its root, and is good five minutes back", async () => {
    const { prodDir } = await provisionExample(folder.dir, { 24: "      root_valid_days: 30" }, { now });
    const leaf = await certificateOf(join(prodDir, "hospital-a"), "client.crt");
    const root = await certificateOf(join(prodDir, "hospital-a"), "rootCA.pem");
    expect(root.validFromDate).toEqual(new Date("2026-11-01T11:55:00Z"));
    expect(root.validToDate).toEqual(new Date(now.getTime() + 30 * dayMs));
    expect(leaf.validFromDate).toEqual(root.validFromDate);
    expect(leaf.validToDate).toEqual(root.validToDate);
  });
});

describe("a project file in another encoding", () => {
  it.each([
    ["UTF-16", Buffer.from("\ufeffapi_version: 3\n", "utf16le"), 1],
    ["UTF-16 without a mark", Buffer.from("api_version: 3\n", "utf16le"), 1],
    ["Latin-1", Buffer.from("api_version: 3\nname: x\ndescription: h\u00f4pital\n", "latin1"), 3],
  ])("is refused, with the line, and nothing is written: %s", async (_, bytes, line) => {
    const projectFile = join(folder.dir, "project.yml");
    await writeFile(projectFile, bytes);
    const error = await errorOf(provision({ projectFile, workspace: join(folder.dir, "workspace"), caKey: "clear" }));
    expect(error).toMatchObject({ code: "project/invalid", problems: [{ line, message: expect.stringContaining("UTF-8") as unknown }] });
    expect(await readdir(folder.dir)).toEqual(["project.yml"]);
  });
});

describe("provisioning again", () => {
  const files = ["rootCA.pem", "server.crt", "server.key"];
  const server = async (prodDir: string): Promise<string[]> =>
    await Promise.all(files.map(async (file) => await readFile(join(prodDir, "server1.example.org/startup", file), "utf8")));

  it("keeps root, certificates and keys, adds the newcomer, and leaves old kits alone", async () => {
    const first = await provisionExample(folder.dir);
    const before = await tree(first.prodDir);
    const second = await provisionExample(folder.dir, { 13: "  - { name: hospital-b, type: client, org: b }" });
    expect(second.prodDir).toBe(join(projectDir(), "prod_01"));
    expect(await server(second.prodDir)).toEqual(await server(first.prodDir));
    expect(second.kits.map(({ identity }) => identity)).toEqual(["kept", "kept", "new", "kept"]);
    const newcomer = await certificateOf(join(second.prodDir, "hospital-b"), "client.crt");
    expect(newcomer.verify((await certificateOf(join(first.prodDir, "hospital-a"), "rootCA.pem")).publicKey)).toBe(true);
    expect(await tree(first.prodDir)).toEqual(before);
    const state = (await json(projectDir(), "state/cert.json")) as object;
    expect(Object.keys(state)).toEqual([
      "root_cert",
      "root_pri_key",
      "server1.example.org",
      "hospital-a",
      "admin@example.org",
      "hospital-b",
    ]);
  });

  it("takes the number after the highest, whatever was deleted", async () => {
    const first = await provisionExample(folder.dir);
    await rename(first.prodDir, join(projectDir(), "prod_41"));
    expect((await provisionExample(folder.dir)).prodDir).toBe(join(projectDir(), "prod_42"));
  });

  it("gives the server a certificate for its new host names, for the same key", async () => {
    const first = await provisionExample(folder.dir);
    const second = await provisionExample(folder.dir, { 9: "    host_names: [localhost, fl.example.org]" });
    const [rootA, certificateA, keyA] = await server(first.prodDir);
    const [rootB, certificateB, keyB] = await server(second.prodDir);
    expect([rootB, keyB]).toEqual([rootA, keyA]);
    expect(certificateB).not.toBe(certificateA);
    expect(second.kits.map(({ identity }) => identity)).toEqual(["new-certificate", "kept", "kept"]);
    expect(new X509Certificate(certificateB ?? "").checkHost("fl.example.org")).toBe("fl.example.org");
  });

  it("makes a leaf that has ended anew, and refuses a root that has", async () => {
    const rootDays = { 24: "      root_valid_days: 800" };
    const first = await provisionExample(folder.dir, rootDays, { now });
    const later = new Date(now.getTime() + 400 * dayMs);
    const second = await provisionExample(folder.dir, rootDays, { now: later });
    const leaf = await certificateOf(join(second.prodDir, "hospital-a"), "client.crt");
    expect(leaf.validToDate).toEqual(new Date(later.getTime() + 90 * dayMs));
    expect(leaf.publicKey.equals((await certificateOf(join(first.prodDir, "hospital-a"), "client.crt")).publicKey)).toBe(true);
    const error = await errorOf(provisionExample(folder.dir, rootDays, { now: new Date(now.getTime() + 801 * dayMs) }));
    expect(error.code).toBe("project/root-expired");
  });

  it("refuses another role for a known name", async () => {
    await provisionExample(folder.dir);
    const error = await errorOf(provisionExample(folder.dir, { 17: "    role: project_admin" }));
    expect(error.code).toBe("project/role-changed");
    expect(error.message).toContain("'admin@example.org' is project_admin in the project file, but the certificate");
    expect((await readdir(projectDir())).sort()).toEqual(["prod_00", "state"]);
  });

  it("refuses another lifetime of the root", async () => {
    await provisionExample(folder.dir);
    const error = await errorOf(provisionExample(folder.dir, { 24: "      root_valid_days: 361" }));
    expect(error.code).toBe("project/root-differs");
    expect(error.message).toContain("root_valid_days is 361");
  });

  it("refuses a damaged state and leaves it as it is", async () => {
    await provisionExample(folder.dir);
    const path = join(projectDir(), "state/cert.json");
    const state = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
    const damages: [string, string][] = [
      [JSON.stringify({ ...state, root_pri_key: 7 }), "root_pri_key"],
      [JSON.stringify({ ...state, root_cert: state["root_cert"]?.replace("MII", "MIJ") }), "the certificate of"],
      [
        JSON.stringify({ ...state, root_pri_key: (state["hospital-a"] as unknown as { pri_key: string }).pri_key }),
        "the private key of the root is not that of ca.json",
      ],
      [
        JSON.stringify({ ...state, "hospital-a": { ...(state["hospital-a"] as unknown as object), pri_key: state["root_pri_key"] } }),
        "does not belong",
      ],

      ["{", ""],
    ];
    for (const [text, part] of damages) {
      await writeFile(path, text);
      const error = await errorOf(provisionExample(folder.dir));
      expect(error.code).toBe("project/state-invalid");
      expect(`${error.message} ${error.problems.map((problem) => problem.path).join()}`).toContain(part);
      expect(await readFile(path, "utf8")).toBe(text);
    }
  });
});

describe("a provisioning run that fails", () => {
  it.each([1, 2, 3, 4, 5, 6])("leaves no trace when it is aborted at its look %i at the signal", async (look) => {
    const controller = new AbortController();
    let looks = 0;
    const throwIfAborted = (): void => {
      looks += 1;
      if (looks >= look) controller.abort();
      AbortSignal.prototype.throwIfAborted.call(controller.signal);
    };
    const signal = Object.assign(controller.signal, { throwIfAborted });
    expect((await errorOf(provisionExample(folder.dir, {}, { signal }))).code).toBe("internal/aborted");
    expect(looks).toBeGreaterThanOrEqual(look);
    expect(existsSync(join(folder.dir, "workspace"))).toBe(false);
  });

  it("leaves earlier kits and state as they were when its own cannot be put in place", async () => {
    await provisionExample(folder.dir);
    const path = join(projectDir(), "state/cert.json");
    const before = await readFile(path, "utf8");
    await mkdir(`${path}.new`);
    await mkdir(join(`${path}.new`, "in the way"));
    const error = await errorOf(provisionExample(folder.dir, { 13: "  - { name: hospital-b, type: client, org: b }" }));
    expect(error.code).toBe("file/unwritable");
    await rm(`${path}.new`, { recursive: true });
    expect(await readFile(path, "utf8")).toBe(before);
    expect((await readdir(projectDir())).sort()).toEqual(["prod_00", "state"]);
  });

  it("leaves what the next one removes, when it is killed; another's draft is left alone", async () => {
    const [killed, foreign] = [join(projectDir(), ".wip-provision-killed"), join(projectDir(), ".wip-of-a-package")];
    await mkdir(join(killed, "hospital-a/startup"), { recursive: true });
    await writeFile(join(killed, "hospital-a/startup/client.key"), "a private key");
    await mkdir(foreign);
    await provisionExample(folder.dir);
    expect((await readdir(projectDir())).sort()).toEqual([".wip-of-a-package", "prod_00", "state"]);
  });

  it("says which file is in the way when the workspace is none", async () => {
    await writeFile(join(folder.dir, "workspace"), "a file");
    const error = await errorOf(provisionExample(folder.dir));
    expect(error.code).toBe("file/unwritable");
    expect(error.message).toContain(join(folder.dir, "workspace"));
  });

  it("says that there is no project file", async () => {
    const projectFile = join(folder.dir, "project.yml");
    expect((await errorOf(provision({ projectFile, workspace: folder.dir, caKey: "clear" }))).code).toBe("file/not-found");
    expect((await errorOf(provision({ projectFile: folder.dir, workspace: folder.dir, caKey: "clear" }))).code).toBe("file/unreadable");
  });
});

describe("two provisioning runs at once", () => {
  const lock = (): string => join(projectDir(), ".provision.lock");

  it("do not mix: one goes on, the other is told who is at work", async () => {
    const results = await Promise.allSettled([provisionExample(folder.dir), provisionExample(folder.dir)]);
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: "project/locked", facts: { pid: process.pid, file: lock() } });
    expect((await readdir(projectDir())).sort()).toEqual(["prod_00", "state"]);
  });

  it("are kept apart by a lock that a dead process cannot hold", async () => {
    await mkdir(projectDir(), { recursive: true });
    const holders = [
      { pid: 2 ** 30, host: hostname(), started: 1, id: "dead" },
      { pid: process.pid, host: hostname(), started: 1, id: "an earlier process with this pid" },
    ];
    for (const holder of holders) {
      await writeFile(lock(), JSON.stringify(holder));
      await provisionExample(folder.dir);
      expect(existsSync(lock())).toBe(false);
    }
  });

  it("respect a lock that cannot be read or was taken on another machine", async () => {
    await mkdir(projectDir(), { recursive: true });
    for (const text of ["", "null", JSON.stringify({ pid: 1, host: "elsewhere", started: 1, id: "x" })]) {
      await writeFile(lock(), text);
      expect((await errorOf(provisionExample(folder.dir))).code).toBe("project/locked");
      expect(await readFile(lock(), "utf8")).toBe(text);
    }
  });
});
