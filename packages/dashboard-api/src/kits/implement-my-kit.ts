import { FlareError } from "@flare-ts/contracts";
import { getMyConsole, getMyParticipantFile, issueMyKit, uploadMyRequest, withdrawMyRequest } from "../contract/kits.js";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Actor } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { personFile } from "../project/participant-file.js";
import { readProject } from "../project/project-store.js";
import { takeRequest, withdrawRequest } from "./answer-requests.js";
import { issueConsoleKit } from "./issue-kits.js";
import { readKitRows } from "./kit-rows.js";
import { KitView } from "./kit-view.js";
import { personHolder, type RequestHolder, readRequests, showRequest, waitsFor } from "./request-holder.js";
import { showNewKit } from "./show-new-kit.js";

/** One's own console kit: by a request whose key stays on one's own machine, or made here. */
export function implementMyKit({ db, kits }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  const show = async ({ personId }: Actor) => {
    const [project, view] = [await readProject(db), await KitView.read(parts)];
    const [kit] = await readKitRows(db, { personId, kind: "console" });
    const request = (await readRequests(db)).get(personId);
    return {
      request: request === undefined ? null : showRequest(request, waitsFor(project, { isApproved: true }, parts.passphrase.isKnown)),
      kit: kit === undefined ? null : view.show(kit),
    };
  };
  const own = async (actor: Actor): Promise<RequestHolder> => {
    const holder = await personHolder(db, await readProject(db), actor.personId);
    if (holder.role !== "project_admin") return holder;
    // Whoever holds the CA would certify their own word: `flare cert approve` has the same rule.
    throw new FlareError("dashboard/conflict", "The kit of a project admin is made by the dashboard; its certificate cannot be asked for.");
  };
  return [
    implement(getMyConsole, async ({ actor }) => await show(actor)),
    implement(issueMyKit, async ({ actor }) => await showNewKit(parts, await issueConsoleKit(parts, actor))),
    implement(getMyParticipantFile, async ({ actor }) => {
      const headers = { "content-disposition": 'attachment; filename="participant.yaml"' };
      return { headers, body: personFile(await readProject(db), await own(actor)) };
    }),
    implement(uploadMyRequest, async ({ actor, body }) => {
      await takeRequest(parts, actor, await own(actor), Buffer.concat(await body.toArray()));
      return await show(actor);
    }),
    implement(withdrawMyRequest, async ({ actor }) => {
      await withdrawRequest(parts, actor, { kind: "console", id: actor.personId, participant: actor.email });
      return await show(actor);
    }),
  ];
}
