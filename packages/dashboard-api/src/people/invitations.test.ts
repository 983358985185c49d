import { expect, it } from "vitest";
import { getMe } from "../contract/me.js";
import {
  invite,
  listInvitations,
  listPeople,
  readInvitation,
  resendInvitation,
  revokeInvitation,
  signUp,
  updatePerson,
} from "../contract/people.js";
import { signIn } from "../contract/session.js";
import { startSmtpReceiver, tokenIn } from "../smtp-receiver.test-support.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const password = "correct horse battery";
const orgAdmin = { role: "org_admin", organization: "hospital_a" } as const;

describeOnEachDatabase("an invitation", (kind) => {
  it("comes by mail, leads to an account that waits, and a project admin lets in", async () => {
    const receiver = await startSmtpReceiver();
    const { person, stranger } = await startTestDashboard(kind, { smtp: { url: receiver.url, from: "FLARE <flare@example.org>" } });
    const admin = await person({ role: "project_admin", organization: "coordination" });
    const sent = await admin.call(invite, { body: { ...orgAdmin, email: "Bob@example.org" } });
    expect(sent).toMatchObject({ link: null, mailProblem: null, invitation: { state: "open", email: "bob@example.org" } });
    const letter = await receiver.next();
    expect(letter.to).toBe("bob@example.org");
    const token = tokenIn(letter.text);
    const bob = stranger();
    expect(await bob.call(readInvitation, { body: { token } })).toEqual({
      email: "bob@example.org",
      ...orgAdmin,
      invitedBy: "A project_admin",
      expiresAtMs: sent.invitation.expiresAtMs,
    });
    await expect(bob.call(signUp, { body: { token, name: "Bob", email: "eve@example.org", password } })).rejects.toMatchObject({
      code: "dashboard/invalid-request",
    });
    expect(await bob.call(signUp, { body: { token, name: "Bob", password } })).toMatchObject({
      state: "signed-in",
      person: { ...orgAdmin, name: "Bob", state: "pending" },
    });
    await expect(bob.call(listPeople)).rejects.toMatchObject({ code: "dashboard/waits-for-approval" });
    const { id } = await bob.call(getMe);
    await admin.call(updatePerson, { params: { id }, body: { decision: "approve" } });
    expect((await receiver.next()).text).toContain("approved");
    expect((await bob.call(listPeople)).people.map(({ email }) => email)).toEqual(["bob@example.org"]);
    expect((await admin.call(listInvitations)).invitations).toMatchObject([{ state: "used" }]);
  });

  it("is shown as a link where there is no mail, or where the mail server refuses", async () => {
    const { person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const { link } = await admin.call(invite, { body: { ...orgAdmin, email: "b@example.org" } });
    expect(link).toMatch(/\/sign-up#[\w-]{43}$/);
    await expect(admin.call(invite, { body: { ...orgAdmin, email: "b@example.org", delivery: "mail" } })).rejects.toMatchObject({
      code: "dashboard/not-configured",
    });
    const refusing = await startSmtpReceiver({ refuses: true });
    const other = await startTestDashboard(kind, { smtp: { url: refusing.url, from: "flare@example.org" } });
    const otherAdmin = await other.person({ role: "project_admin" });
    const fallen = await otherAdmin.call(invite, { body: { ...orgAdmin, email: "b@example.org" } });
    expect(fallen.link).toMatch(/\/sign-up#/);
    expect(fallen.mailProblem).toContain("did not take the letter");
  });

  it("works once, also when two open it at the same moment", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const { link } = await admin.call(invite, { body: { ...orgAdmin, approvesAtOnce: true } });
    const token = tokenIn(link ?? "");
    const tries = ["b@example.org", "c@example.org"].map((email) =>
      stranger().call(signUp, { body: { token, name: "Bob", email, password } }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toMatchObject([{ value: { person: { state: "approved" } } }]);
    await expect(stranger().call(readInvitation, { body: { token } })).rejects.toMatchObject({
      code: "dashboard/link-unusable",
      status: 410,
    });
  });

  it("stops working when it expires, is withdrawn or is sent again", async () => {
    const { clock, person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const read = (link: string | null): Promise<unknown> => stranger().call(readInvitation, { body: { token: tokenIn(link ?? "") } });
    const expiring = await admin.call(invite, { body: { ...orgAdmin, expiresInHours: 1 } });
    clock.advance(29 * 60_000);
    await admin.call(getMe);
    const withdrawn = await admin.call(invite, { body: orgAdmin });
    await admin.call(revokeInvitation, { params: { id: withdrawn.invitation.id } });
    await expect(read(withdrawn.link)).rejects.toMatchObject({ code: "dashboard/link-unusable" });
    await expect(admin.call(resendInvitation, { params: { id: withdrawn.invitation.id } })).rejects.toMatchObject({
      code: "dashboard/conflict",
    });
    const again = await admin.call(resendInvitation, { params: { id: expiring.invitation.id } });
    await expect(read(expiring.link)).rejects.toMatchObject({ code: "dashboard/link-unusable" });
    await expect(read(again.link)).resolves.toMatchObject(orgAdmin);
    clock.advance(3_600_001);
    await expect(read(again.link)).rejects.toMatchObject({ code: "dashboard/link-unusable" });
  });

  it("lasts from each new link on as long as it was made for, however often it is sent again", async () => {
    const { clock, person } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const { invitation } = await admin.call(invite, { body: { ...orgAdmin, expiresInHours: 1 } });
    for (let times = 0; times < 3; times++) {
      clock.advance(25 * 60_000);
      const again = await admin.call(resendInvitation, { params: { id: invitation.id } });
      expect(again.invitation.expiresAtMs).toBe(clock.now() + 3_600_000);
    }
  });

  it("without an address lets nobody try out who has an account", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    await person({ email: "taken@example.org" });
    const { link } = await admin.call(invite, { body: orgAdmin });
    const token = tokenIn(link ?? "");
    const codes: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      const body = { token, name: "Bob", email: "taken@example.org", password };
      codes.push(
        await stranger()
          .call(signUp, { body })
          .catch((reason: { code: string }) => reason.code),
      );
    }
    expect(codes).toEqual([...Array.from({ length: 5 }, () => "dashboard/conflict"), "dashboard/too-many-attempts"]);
  });

  it("leads to an account that signs in with its password", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const { link } = await admin.call(invite, { body: { ...orgAdmin, email: "b@example.org" } });
    await stranger().call(signUp, { body: { token: tokenIn(link ?? ""), name: "Bob", password } });
    expect(await stranger().call(signIn, { body: { email: "b@example.org", password } })).toMatchObject({ state: "signed-in" });
  });
});
