import { openClientSession } from "../client/client-session.js";
import { servePsiOf } from "../client/serve-psi.js";
import { type PsiProgram, psiOwner } from "./psi-owners.js";

// A site's part in private set intersections: started by a job process in the place of a trainer, as a PSIExecutor asks for it.
const program = JSON.parse(process.argv[2] ?? "") as PsiProgram;
const session = await openClientSession();
await servePsiOf(session, psiOwner(program, session.systemInfo().datasets));
