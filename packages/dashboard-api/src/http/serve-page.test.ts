import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startTestDashboard } from "../test-dashboard.test-support.js";

function builtPage(): string {
  const folder = mkdtempSync(join(tmpdir(), "flare-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "assets"));
  writeFileSync(
    join(folder, "index.html"),
    '<meta property="csp-nonce" nonce="__CSP_NONCE__"><script src="/assets/a-1.js" nonce="__CSP_NONCE__"></script>',
  );
  writeFileSync(join(folder, "favicon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "a-1.js"), "run()");
  return folder;
}

const navigation = { headers: { accept: "text/html,*/*" } };

it("the page is served at each of its own addresses, with a fresh nonce that its policy names", async () => {
  const { url } = await startTestDashboard("SQLite", { pageFolder: builtPage() });
  const nonces = new Set<string>();
  for (const path of ["/", "/index.html", "/jobs/5", "/sign-up", "/set-up?x=1"]) {
    const answer = await fetch(`${url}${path}`, navigation);
    const html = await answer.text();
    const nonce = /nonce="([\w-]{43})"/.exec(html)?.[1] ?? "none";
    expect(answer.status).toBe(200);
    expect(html).not.toContain("__CSP_NONCE__");
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
    expect(policy).toContain("default-src 'self'; script-src 'self';");
    expect(policy).not.toContain("unsafe");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    nonces.add(nonce);
  }
  expect(nonces.size).toBe(5);
});

it("files of the page are served as they are, hashed ones for ever, and nothing outside the folder", async () => {
  const { url } = await startTestDashboard("SQLite", { pageFolder: builtPage() });
  const script = await fetch(`${url}/assets/a-1.js`);
  expect([await script.text(), script.headers.get("content-type")]).toEqual(["run()", expect.stringContaining("javascript")]);
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect((await fetch(`${url}/favicon.svg`)).headers.get("cache-control")).toBe("no-cache");
  for (const path of ["/assets/none.js", "/..%2fdata/dashboard.key", "/assets/..%2f..%2fx", "/api/v1/none"]) {
    const answer = await fetch(`${url}${path}`, path.startsWith("/api") ? navigation : {});
    expect([path, answer.status]).toEqual([path, 404]);
  }
});

it("a folder without a built page does not start", async () => {
  await expect(startTestDashboard("SQLite", { pageFolder: tmpdir() })).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
});
