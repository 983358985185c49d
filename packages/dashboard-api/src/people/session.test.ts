import { expect, it } from "vitest";
import { endMySession, getMe, listMySessions } from "../contract/me.js";
import { getSession, signIn, signOut } from "../contract/session.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const password = "correct horse battery";
const minute = 60_000;

describeOnEachDatabase("signing in and out", (kind) => {
  it("leads from the password to a session that ends when it is ended", async () => {
    const dashboard = await startTestDashboard(kind);
    await dashboard.person({ email: "a@example.org", password });
    const stranger = dashboard.stranger();
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-out", person: null, csrfToken: null });
    await expect(stranger.call(signIn, { body: { email: "a@example.org", password: "wrong" } })).rejects.toMatchObject({
      code: "dashboard/wrong-credentials",
      status: 401,
    });
    expect(await stranger.call(signIn, { body: { email: "A@example.org ", password } })).toMatchObject({ state: "signed-in" });
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-in", person: { email: "a@example.org" } });
    await stranger.call(signOut);
    expect(await stranger.call(getSession)).toMatchObject({ state: "signed-out" });
  });

  it("keeps no token and no password", async () => {
    const { dashboard, person, stranger } = await startTestDashboard(kind);
    await person({ email: "a@example.org", password });
    const browser = stranger();
    const answer = await browser.fetch(`${dashboard.parts.publicUrl()}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "a@example.org", password }),
    });
    const token = /flare=([^;]+)/.exec(answer.headers.get("set-cookie") ?? "")?.[1] ?? "none";
    const { db } = dashboard.parts;
    const rows = JSON.stringify([
      await db.selectFrom("sessions").selectAll().execute(),
      await db.selectFrom("people").selectAll().execute(),
      await db.selectFrom("audit").selectAll().execute(),
    ]);
    expect(token).toHaveLength(43);
    expect(rows).not.toContain(token);
    expect(rows).not.toContain(password);
    expect(JSON.stringify(await answer.json())).not.toContain("scrypt");
  });

  it("ends a session after half an hour without a request, and after twelve hours in any case", async () => {
    const dashboard = await startTestDashboard(kind);
    const person = await dashboard.person();
    for (let i = 0; i < 3; i++) {
      dashboard.clock.advance(29 * minute);
      await person.call(getMe);
    }
    dashboard.clock.advance(31 * minute);
    await expect(person.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    const busy = await dashboard.person();
    for (let passed = 0; passed < 12 * 60 - 20; passed += 20) {
      dashboard.clock.advance(20 * minute);
      await busy.call(getMe);
    }
    dashboard.clock.advance(21 * minute);
    await expect(busy.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
  });

  it("lets nobody in who was rejected or disabled, and those in who wait for approval", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const outcomes: Record<string, string> = {};
    for (const state of ["rejected", "disabled", "pending", "approved"] as const) {
      await person({ email: `${state}@example.org`, password, state });
      outcomes[state] = await stranger()
        .call(signIn, { body: { email: `${state}@example.org`, password } })
        .then(
          (session) => session.person?.state ?? "nobody",
          (reason: { code: string }) => reason.code,
        );
    }
    expect(outcomes).toEqual({
      rejected: "dashboard/wrong-credentials",
      disabled: "dashboard/wrong-credentials",
      pending: "pending",
      approved: "approved",
    });
  });

  it("lists the own sessions and ends one of them, not anybody else's", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const here = await person({ email: "a@example.org", password });
    const there = stranger();
    await there.call(signIn, { body: { email: "a@example.org", password } });
    const { sessions } = await here.call(listMySessions);
    expect(sessions.filter(({ isThisOne }) => isThisOne)).toHaveLength(1);
    expect(sessions).toHaveLength(2);
    const other = sessions.find(({ isThisOne }) => !isThisOne)?.id ?? "";
    await expect((await person()).call(endMySession, { params: { id: other } })).rejects.toMatchObject({ code: "dashboard/not-found" });
    await here.call(endMySession, { params: { id: other } });
    expect(await there.call(getSession)).toMatchObject({ state: "signed-out" });
    await here.call(endMySession, { params: { id: sessions.find(({ isThisOne }) => isThisOne)?.id ?? "" } });
    expect(await here.call(getSession)).toMatchObject({ state: "signed-out" });
  });

  it("gives a new token at each sign-in and ends the browser's earlier session", async () => {
    const { dashboard, person, stranger } = await startTestDashboard(kind);
    const { id } = await person({ email: "a@example.org", password });
    const browser = stranger();
    await browser.call(signIn, { body: { email: "a@example.org", password } });
    await browser.call(signIn, { body: { email: "a@example.org", password } });
    expect(await dashboard.parts.sessions.list(id)).toHaveLength(2);
  });
});
