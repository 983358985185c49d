import { expect, it } from "vitest";
import { exportAudit, listAudit } from "../contract/audit.js";
import { updateMe } from "../contract/me.js";
import { updatePerson } from "../contract/people.js";
import { signIn } from "../contract/session.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

describeOnEachDatabase("the audit trail", (kind) => {
  it("tells who did what to whom, the newest first, and what was refused", async () => {
    const { clock, person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const somebody = await person({ state: "pending" });
    await admin.call(updatePerson, { params: { id: somebody.id }, body: { decision: "approve", organization: "hospital_c" } });
    await stranger()
      .call(signIn, { body: { email: somebody.email, password: "wrong" } })
      .catch(() => undefined);
    await stranger()
      .call(signIn, { body: { email: "my-secret-password@example.org", password: "wrong" } })
      .catch(() => undefined);
    const { entries } = await admin.call(listAudit);
    expect(entries).toMatchObject([
      { actor: "stranger", action: "session.signIn", subject: "an unknown address", outcome: "refused", actorId: null },
      { actor: "stranger", action: "session.signIn", subject: somebody.email, outcome: "refused" },
      {
        actor: admin.email,
        actorId: admin.id,
        action: "people.approve",
        subject: somebody.email,
        outcome: "done",
        facts: { organization: "hospital_c" },
      },
    ]);
    expect(entries[0]?.address).toBe("127.0.0.1");
    expect(entries.at(-1)?.atMs).toBe(clock.now());
  });

  it("is filtered, and paged without a gap or a repetition", async () => {
    const { clock, person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const somebody = await person();
    for (let i = 0; i < 25; i++) await somebody.call(updateMe, { body: { name: `Name ${i}` } });
    clock.advance(1000);
    await admin.call(updateMe, { body: { name: "Admin" } });
    const names: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await admin.call(listAudit, { query: { actor: somebody.email, limit: 10, cursor } });
      names.push(...page.entries.map(({ facts }) => facts["name"]));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(names).toEqual(Array.from({ length: 25 }, (_, i) => `Name ${24 - i}`));
    const found = async (query: Parameters<typeof admin.call<typeof listAudit>>[1]): Promise<number> =>
      (await admin.call(listAudit, query)).entries.length;
    expect(await found({ query: { sinceMs: clock.now() } })).toBe(1);
    expect(await found({ query: { untilMs: clock.now() } })).toBe(25);
    expect(await found({ query: { action: "me" } })).toBe(26);
    expect(await found({ query: { action: "m%" } })).toBe(0);
    expect(await found({ query: { outcome: "refused" } })).toBe(0);
    expect(await found({ query: { subject: admin.email } })).toBe(1);
    await expect(admin.call(listAudit, { query: { cursor: "1' or 1=1" } })).rejects.toMatchObject({ code: "dashboard/invalid-request" });
  });

  it("is exported as a table that no spreadsheet takes for formulas, and as JSON lines", async () => {
    const { dashboard, person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const actor = { email: '=HYPERLINK("http://evil")', personId: null, address: "" };
    await dashboard.parts.audit.write(dashboard.parts.db, { actor, action: "x.y", subject: "a,b" });
    const csv = await (await admin.call(exportAudit, { query: { format: "csv" } })).text();
    const lines = csv.trim().split("\r\n");
    expect(lines[0]).toBe("time,actor,action,subject,outcome,address,facts");
    expect(lines[2]).toContain(`"'=HYPERLINK(""http://evil"")",x.y,"a,b",done`);
    const answer = await admin.call(exportAudit, { query: { format: "jsonl", action: "x" } });
    expect(answer.headers.get("content-disposition")).toContain("audit.jsonl");
    expect(JSON.parse(await answer.text())).toMatchObject({ actor: actor.email, subject: "a,b" });
  });

  it("exports more than one page", async () => {
    const { dashboard, person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    await dashboard.parts.db.transaction().execute(async (db) => {
      for (let i = 0; i < 1500; i++) {
        await dashboard.parts.audit.write(db, { actor: { email: "a", personId: null, address: "" }, action: "x.y", subject: `${i}` });
      }
    });
    const text = await (await admin.call(exportAudit, { query: { format: "jsonl", action: "x" } })).text();
    expect(new Set(text.trim().split("\n")).size).toBe(1500);
  });
});
