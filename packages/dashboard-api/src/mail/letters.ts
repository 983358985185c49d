import type { Letter } from "./mailer.js";

/** The letter with an invitation's link. */
export function invitationLetter(init: {
  readonly to: string;
  readonly link: string;
  readonly invitedBy: string;
  readonly expiresAtMs: number;
}): Letter {
  return {
    to: init.to,
    subject: "Invitation to a federated learning project",
    text: lines(
      `${init.invitedBy} invites you to a federated learning project.`,
      "Open this link to make your account:",
      init.link,
      `The link works once, until ${dateText(init.expiresAtMs)}.`,
      "If you did not expect this, do nothing.",
    ),
  };
}

/** The letter with a link for a new password. */
export function passwordResetLetter(init: { readonly to: string; readonly link: string; readonly expiresAtMs: number }): Letter {
  return {
    to: init.to,
    subject: "A new password for the dashboard",
    text: lines(
      "Somebody asked for a new password for your account. Open this link to set it:",
      init.link,
      `The link works once, until ${dateText(init.expiresAtMs)}.`,
      "If it was not you, do nothing: your password stays as it is.",
    ),
  };
}

/** The letter that says what became of an account. */
export function decisionLetter(init: { readonly to: string; readonly isApproved: boolean; readonly url: string }): Letter {
  return {
    to: init.to,
    subject: init.isApproved ? "Your account was approved" : "Your account was not approved",
    text: init.isApproved
      ? lines("A project admin has approved your account. Sign in here:", init.url)
      : lines("A project admin has not approved your account. Ask the person who invited you."),
  };
}

function lines(...paragraphs: readonly string[]): string {
  return `${paragraphs.join("\n\n")}\n`;
}

function dateText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
