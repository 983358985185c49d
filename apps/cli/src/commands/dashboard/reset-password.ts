import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { given } from "../../command-line/given.js";

/** What `flare dashboard reset-password` is given. */
export interface ResetPasswordOptions {
  readonly email: string;
  readonly data: string;
  readonly publicUrl: string | undefined;
  readonly removesSecondFactor: boolean;
}

/** Prints a link by which an account gets a new password. */
export async function resetPasswordCommand({ cwd, env }: CommandContext, options: ResetPasswordOptions): Promise<CommandOutput> {
  const { resetPasswordLocally } = await import("@flare-ts/dashboard-api");
  const publicUrl = options.publicUrl ?? given(env["FLARE_PUBLIC_URL"]);
  const { email, link, expiresAtMs } = await resetPasswordLocally({
    dataFolder: resolve(cwd, options.data),
    databaseUrl: given(env["DATABASE_URL"]),
    publicUrl,
    email: options.email,
    removesSecondFactor: options.removesSecondFactor,
    by: accountName(),
  });
  const until = new Date(expiresAtMs).toISOString();
  return {
    data: { email, link, expires_at: until },
    text: [`A new password for ${email} can be set once, until ${until}:`, link],
    hints: [
      "Next: start the dashboard, then open the link.",
      ...(publicUrl === undefined ? ["Put the dashboard's address before it, such as https://127.0.0.1:8443"] : []),
    ],
  };
}

/** A container may run as a user that the machine does not know. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? ""}`.trim();
  }
}
