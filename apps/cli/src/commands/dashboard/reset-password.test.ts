import { completePasswordReset, createApiClient, setUp, signIn } from "@flare-ts/dashboard-api/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FlareFolder, type FlareProcess, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
beforeAll(async () => {
  folder = await flareFolder();
});
afterAll(() => folder.remove());

it("flare dashboard reset-password lets an only admin in again, and waits until the dashboard is stopped", async () => {
  const account = { email: "ann@example.org", password: "a phrase that is lost" };
  const first = await startDashboard();
  const client = createApiClient({ baseUrl: first.url, fetch });
  await client.call(setUp, { body: { ...account, token: first.setUpToken, name: "Ann", organization: "hospital_a" } });
  const reset = ["dashboard", "reset-password", account.email, "--data", "data"];
  const early = await folder.run(...reset);
  expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("dashboard/already-running") as string });
  await first.stop();
  const { link } = (await folder.data(...reset)) as { link: string };
  const second = await startDashboard();
  const again = createApiClient({ baseUrl: second.url, fetch });
  const password = "a phrase that is found";
  await again.call(completePasswordReset, { body: { token: link.split("#")[1] ?? "", password } });
  await expect(again.call(signIn, { body: account })).rejects.toMatchObject({ code: "dashboard/wrong-credentials" });
  expect(await again.call(signIn, { body: { ...account, password } })).toMatchObject({ person: { email: account.email } });
  await second.stop();
});

interface Started {
  readonly url: string;
  readonly setUpToken: string;
  stop(): Promise<void>;
}

async function startDashboard(): Promise<Started> {
  const running: FlareProcess = folder.start("dashboard", "start", "--no-tls", "--port", "0", "--data", "data");
  let printed = "";
  running.child.stdout?.on("data", (text: string) => {
    printed += text;
  });
  await running.printed(/The dashboard is at \S+\n(?:.*\n)*/);
  return {
    url: /The dashboard is at (\S+)/.exec(printed)?.[1] ?? "",
    setUpToken: /set-up#(\S+)/.exec(printed)?.[1] ?? "",
    stop: async () => {
      running.child.kill("SIGTERM");
      await running.finished;
    },
  };
}
