import { expect, it } from "vitest";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("what programs watch", (kind) => {
  it("says that the dashboard is well, and that it is not when the database is gone", async () => {
    const { url, dashboard } = await startTestDashboard(kind);
    const well = await fetch(`${url}/healthz`);
    expect([well.status, await well.json()]).toEqual([200, { status: "ok" }]);
    await dashboard.parts.db.destroy();
    const ill = await fetch(`${url}/healthz`);
    expect([ill.status, await ill.json()]).toEqual([503, { status: "database unusable" }]);
  });

  it("counts answers by route and status, people and sessions, in the format of Prometheus", async () => {
    const { url, person } = await startTestDashboard(kind);
    const somebody = await person();
    await (await somebody.fetch(`${url}/api/v1/me`)).text();
    await (await fetch(`${url}/api/v1/me`)).text();
    await (await fetch(`${url}/secret-token-in-an-address`)).text();
    const answer = await fetch(`${url}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get("content-type")).toContain("version=0.0.4");
    expect(text).toContain('flare_dashboard_requests_total{route="me.get",status="200"} 1');
    expect(text).toContain('flare_dashboard_requests_total{route="me.get",status="401"} 1');
    expect(text).toContain('flare_dashboard_request_seconds_bucket{route="me.get",le="+Inf"} 2');
    expect(text).toContain('flare_dashboard_people{state="approved"} 1');
    expect(text).toContain("flare_dashboard_sessions 1");
    expect(text).not.toContain("secret-token");
    const line = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+-]+)$/;
    expect(
      text
        .trim()
        .split("\n")
        .filter((one) => !line.test(one)),
    ).toEqual([]);
  });

  it("counts no session that has ended because nobody used it", async () => {
    const { url, person, clock } = await startTestDashboard(kind);
    await person();
    const sessions = async (): Promise<string | undefined> =>
      /^flare_dashboard_sessions .*$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[0];
    expect(await sessions()).toBe("flare_dashboard_sessions 1");
    clock.advance(31 * 60_000);
    expect(await sessions()).toBe("flare_dashboard_sessions 0");
  });

  it("gives metrics to whoever has the token, where one was set", async () => {
    const { url } = await startTestDashboard(kind, { metricsToken: "a token" });
    const status = async (headers: Record<string, string>): Promise<number> => (await fetch(`${url}/metrics`, { headers })).status;
    expect([await status({}), await status({ authorization: "Bearer x" }), await status({ authorization: "Bearer a token" })]).toEqual([
      403, 403, 200,
    ]);
  });
});
