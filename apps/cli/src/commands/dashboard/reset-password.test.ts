import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
const processes: ChildProcess[] = [];
beforeAll(async () => {
  folder = await flareFolder();
});
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await folder.remove();
});

it("flare dashboard reset-password lets an only admin in again, and waits until the dashboard is stopped", async () => {
  const account = { email: "ann@example.org", password: "a phrase that is lost" };
  const first = await startDashboard();
  expect(await first.post("setup", { ...account, token: first.setUpToken, name: "Ann", organization: "hospital_a" })).toBe(200);
  const reset = ["dashboard", "reset-password", account.email, "--data", "data"];
  const early = await folder.run(...reset);
  expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("dashboard/already-running") as string });
  await first.stop();
  const { link } = (await folder.data(...reset)) as { link: string };
  const second = await startDashboard();
  const password = "a phrase that is found";
  expect(await second.post("password-reset/complete", { token: link.split("#")[1], password })).toBe(204);
  expect(await second.post("session", account)).toBe(401);
  expect(await second.post("session", { ...account, password })).toBe(200);
  await second.stop();
});

interface Started {
  /** Posts to a route as a stranger, and answers the status. */
  post(route: string, body: object): Promise<number>;
  readonly setUpToken: string;
  stop(): Promise<void>;
}

async function startDashboard(): Promise<Started> {
  const running = folder.start("dashboard", "start", "--no-tls", "--port", "0", "--data", "data");
  processes.push(running.child);
  let printed = "";
  running.child.stdout?.on("data", (text: string) => {
    printed += text;
  });
  await running.printed(/The dashboard is at \S+\n(?:.*\n)*/);
  const url = /The dashboard is at (\S+)/.exec(printed)?.[1] ?? "";
  return {
    post: async (route, body) => {
      const headers = { "content-type": "application/json" };
      return (await fetch(`${url}/api/v1/${route}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
    },
    setUpToken: /set-up#(\S+)/.exec(printed)?.[1] ?? "",
    stop: async () => {
      running.child.kill("SIGTERM");
      await running.finished;
    },
  };
}
