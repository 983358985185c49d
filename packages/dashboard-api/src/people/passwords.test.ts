import { expect, it } from "vitest";
import { changePassword, getMe } from "../contract/me.js";
import { resetPersonPassword } from "../contract/people.js";
import { completePasswordReset, requestPasswordReset, signIn } from "../contract/session.js";
import { startSmtpReceiver, tokenIn } from "../smtp-receiver.test-support.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const password = "correct horse battery";
const newPassword = "another fine long phrase";
const email = "a@example.org";

describeOnEachDatabase("a password", (kind) => {
  it("is changed by whoever knows the current one, and ends all other sessions", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const here = await person({ email, password });
    const there = stranger();
    await there.call(signIn, { body: { email, password } });
    await expect(here.call(changePassword, { body: { currentPassword: "wrong", newPassword } })).rejects.toMatchObject({
      code: "dashboard/wrong-password",
    });
    await expect(here.call(changePassword, { body: { newPassword } })).rejects.toMatchObject({ code: "dashboard/wrong-password" });
    await expect(here.call(changePassword, { body: { currentPassword: password, newPassword: "aaaaaaaaaaaaaaaa" } })).rejects.toMatchObject(
      {
        code: "dashboard/weak-password",
      },
    );
    await here.call(changePassword, { body: { currentPassword: password, newPassword } });
    expect(await here.call(getMe)).toMatchObject({ email });
    await expect(there.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    await expect(stranger().call(signIn, { body: { email, password } })).rejects.toMatchObject({ code: "dashboard/wrong-credentials" });
    expect(await stranger().call(signIn, { body: { email, password: newPassword } })).toMatchObject({ state: "signed-in" });
  });

  it("is reset by a link that comes by mail, once, within an hour, and ends all sessions", async () => {
    const receiver = await startSmtpReceiver();
    const smtp = { url: receiver.url, from: "FLARE <flare@example.org>" };
    const { person, stranger, clock } = await startTestDashboard(kind, { smtp });
    const here = await person({ email, password });
    await stranger().call(requestPasswordReset, { body: { email } });
    const letter = await receiver.next();
    expect(letter.to).toBe(email);
    const token = tokenIn(letter.text);
    await expect(stranger().call(completePasswordReset, { body: { token, password: "short" } })).rejects.toMatchObject({
      code: "dashboard/weak-password",
    });
    await stranger().call(completePasswordReset, { body: { token, password: newPassword } });
    await expect(here.call(getMe)).rejects.toMatchObject({ code: "dashboard/not-signed-in" });
    await expect(stranger().call(completePasswordReset, { body: { token, password: "yet another long one" } })).rejects.toMatchObject({
      code: "dashboard/link-unusable",
    });
    expect(await stranger().call(signIn, { body: { email, password: newPassword } })).toMatchObject({ state: "signed-in" });
    await stranger().call(requestPasswordReset, { body: { email } });
    const second = tokenIn((await receiver.next()).text);
    clock.advance(3_600_001);
    await expect(stranger().call(completePasswordReset, { body: { token: second, password } })).rejects.toMatchObject({
      code: "dashboard/link-unusable",
    });
  });

  it("is asked for with the same answer whether the address is known or not, and no mailbox is filled", async () => {
    const receiver = await startSmtpReceiver();
    const { dashboard, person, stranger } = await startTestDashboard(kind, { smtp: { url: receiver.url, from: "flare@example.org" } });
    await person({ email, password });
    await person({ email: "gone@example.org", state: "disabled" });
    const answers = [];
    for (const who of [email, email, email, email, "nobody@example.org", "gone@example.org"]) {
      answers.push(await stranger().call(requestPasswordReset, { body: { email: who } }));
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await dashboard.parts.tasks.drained();
    expect(receiver.letters.map(({ to }) => to)).toEqual([email, email]);
  });

  it("is reset by a link that a project admin passes on where there is no mail", async () => {
    const { person, stranger } = await startTestDashboard(kind);
    const admin = await person({ role: "project_admin" });
    const { id } = await person({ email, password });
    const { link, mailProblem } = await admin.call(resetPersonPassword, { params: { id } });
    expect(mailProblem).toBeNull();
    await stranger().call(completePasswordReset, { body: { token: tokenIn(link ?? ""), password: newPassword } });
    expect(await stranger().call(signIn, { body: { email, password: newPassword } })).toMatchObject({ state: "signed-in" });
  });
});
