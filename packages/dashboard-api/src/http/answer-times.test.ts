import { expect, it, vi } from "vitest";
import { signIn } from "../contract/session.js";
import { Passwords } from "../secrets/passwords.js";
import { startTestDashboard } from "../test-dashboard.test-support.js";

it("a refused sign-in takes the work of one password, whether the address is known or not, so that its time does not tell", async () => {
  const { person, stranger } = await startTestDashboard("SQLite");
  await person({ email: "known@example.org", password: "correct horse battery" });
  await person({ email: "elsewhere@example.org" });
  const verify = vi.spyOn(Passwords.prototype, "verify");
  try {
    for (const who of ["known", "unknown", "elsewhere"]) {
      verify.mockClear();
      await expect(stranger().call(signIn, { body: { email: `${who}@example.org`, password: "wrong" } })).rejects.toMatchObject({
        code: "dashboard/wrong-credentials",
      });
      expect(verify).toHaveBeenCalledTimes(1);
    }
  } finally {
    verify.mockRestore();
  }
});
