import process from "node:process";
import { FlareError } from "@flare-ts/contracts/errors";
import { openClientSession } from "../client/client-session.js";
import { servePsiOf } from "../client/serve-psi.js";
import { type PsiProgram, psiOwner } from "./psi-owners.js";

// A site's part in private set intersections: started by a job process in the place of a trainer, as a PSIExecutor asks for it.
const program = JSON.parse(process.argv[2] ?? "") as PsiProgram;
try {
  const session = await openClientSession();
  await servePsiOf(session, psiOwner(program, session.systemInfo().datasets));
} catch (reason) {
  if (!(reason instanceof FlareError)) throw reason;
  // One line that says what is to be mended: of what the program has said, people are shown the end.
  process.stderr.write(`error ${reason.code}: ${reason.message}\n`);
  process.exit(1);
}
