import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { buildProgram } from "../../command-line/build-program.js";

const deploy = join(import.meta.dirname, "../../../../../deploy");

interface Service {
  readonly image: string;
  readonly command?: string | readonly string[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly build?: { readonly dockerfile: string };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = async (): Promise<Compose> => parse(await readFile(join(deploy, "compose.yaml"), "utf8")) as Compose;

/** Reads a command line as `flare` does, without carrying it out. @throws commander's error */
async function parsed(argv: readonly string[]): Promise<void> {
  const program = await buildProgram(argv, () => async () => {}, { out: () => {}, outHelp: () => {}, columns: 80 });
  await program.parseAsync([...argv], { from: "user" });
}

describe("deploy/compose.yaml", () => {
  it("names services, secrets and volumes that are there", async () => {
    const { services, secrets, volumes } = await compose();
    expect(Object.keys(services)).toEqual(["database", "dashboard", "server"]);
    for (const service of Object.values(services)) {
      for (const secret of service.secrets ?? []) expect(Object.keys(secrets)).toContain(secret);
      const named = (service.volumes ?? []).map((volume) => volume.split(":")[0] ?? "").filter((name) => !name.startsWith("."));
      expect(Object.keys(volumes)).toEqual(expect.arrayContaining(named));
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(services)).toContain(other);
      if (service.build !== undefined) await readFile(join(deploy, "..", service.build.dockerfile));
    }
  });

  it("starts dashboard and server with options that flare knows", async () => {
    const { services } = await compose();
    const server = services["server"]?.command;
    await parsed(Array.isArray(server) ? (server as string[]) : []);
    const [script = ""] = (services["dashboard"]?.command ?? []) as readonly string[];
    const [, words = ""] = /exec flare (.*)$/.exec(script) ?? [];
    expect(words).toContain("dashboard start");
    await parsed(words.trim().split(/\s+/));
    await expect(parsed([...words.trim().split(/\s+/), "--no-such-option"])).rejects.toMatchObject({ code: "commander.unknownOption" });
  });
});
