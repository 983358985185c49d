import { FlareError } from "@flare-ts/contracts/errors";
import { type PsiOwner, SitePsi } from "../psi/site-psi.js";
import type { ClientSession } from "./client-session.js";

/**
 * Answers the tasks of a private set intersection until the job is over.
 *
 * @throws FlareError `client-api/items-invalid`, `client-api/result-invalid` for a task of something else, and what the owner throws
 */
export async function servePsiOf(session: Pick<ClientSession, "answerByFile" | "progress" | "systemInfo">, owner: PsiOwner): Promise<void> {
  const { stateFolder: folder } = session.systemInfo();
  if (folder === undefined) {
    throw new FlareError("client-api/version-mismatch", "The site's job process is of an earlier release, and keeps nothing for a key.");
  }
  const onProgress = (done: number, total: number, note: string): void => session.progress({ done, total, note });
  const site = new SitePsi({ folder, owner, onProgress });
  try {
    while (
      await session.answerByFile(
        async ({ modelPath, currentRound, totalRounds, outPath }) =>
          (await site.answer({ modelPath, round: currentRound, totalRounds, outPath })) ?? {},
      )
    );
  } finally {
    await site.close();
  }
}
