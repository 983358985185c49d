import { FlareError } from "@flare-ts/contracts";
import type { Letter, Mailer } from "./mailer.js";

/** What became of a link: gone by mail, or to be passed on by hand. */
export interface SentLink {
  readonly link: string | null;
  readonly mailProblem: string | null;
}

/** Sends a link by mail where a letter and a mailer are given; where that fails, the link is there to be passed on. */
export async function sendLink(mailer: Mailer | undefined, link: string, letter: Letter | undefined): Promise<SentLink> {
  if (mailer === undefined || letter === undefined) return { link, mailProblem: null };
  try {
    await mailer.send(letter);
    return { link: null, mailProblem: null };
  } catch (reason) {
    if (!(reason instanceof FlareError)) throw reason;
    return { link, mailProblem: reason.message };
  }
}
