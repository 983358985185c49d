import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { provision } from "@flare-ts/provision";

/** Seconds from a project file to the signed kits of so many participants, in a new workspace below a folder. */
export async function measureProvision(participants: number, keyType: "rsa-2048" | "p256", below: string): Promise<number> {
  const folder = await mkdtemp(join(below, "provision-"));
  const projectFile = join(folder, "project.yml");
  await writeFile(projectFile, projectText(participants, keyType));
  const started = performance.now();
  await provision({ projectFile, workspace: join(folder, "workspace"), caKey: "clear" });
  return (performance.now() - started) / 1000;
}

function projectText(participants: number, keyType: string): string {
  const sites = Array.from({ length: participants - 2 }, (_, index) => ({ name: `site-${index + 1}`, type: "client", org: "bench" }));
  return JSON.stringify({
    api_version: 3,
    name: "bench",
    participants: [
      { name: "localhost", type: "server", org: "bench", fed_learn_port: 8002 },
      ...sites,
      { name: "admin@example.org", type: "admin", org: "bench", role: "project_admin" },
    ],
    certificates: { key_type: keyType },
  });
}
