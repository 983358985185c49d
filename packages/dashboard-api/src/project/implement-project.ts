import {
  exportProject,
  freezeProject,
  getProject,
  importProject,
  lockProject,
  rotateProject,
  unlockProject,
  updateProject,
} from "../contract/project.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Implementation, implement } from "../http/implement.js";
import { sealingPassphrase } from "../kits/ca-passphrase.js";
import { exportText } from "../kits/project-files.js";
import { changedKeys } from "./changed-keys.js";
import { checkChange } from "./check-project.js";
import { freezeProject as freeze } from "./freeze-project.js";
import { importIntoProject } from "./import-into-project.js";
import { changedMeanwhile, type ProjectChange, readFrozenProject, readProject, writeProject } from "./project-store.js";
import { showProject } from "./project-view.js";
import { finishRotation, readBehind, startRotation } from "./rotate-root.js";
import { readSites } from "./site-store.js";

/** The project: its settings, its CA, its file. */
export function implementProject({ db, audit, changes, kits }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  return [
    implement(getProject, async () => await showProject(parts)),
    implement(updateProject, async ({ actor, body: { version, ...written } }) => {
      const change: ProjectChange = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
      await db.transaction().execute(async (transaction) => {
        const project = await readProject(transaction);
        if (version !== undefined && version !== project.version) throw changedMeanwhile("the project", project.changedBy);
        checkChange(project, change, await readSites(transaction));
        await writeProject(transaction, project, change, actor.name);
        const facts = { fields: changedKeys(project, change).join(", ") };
        await audit.write(transaction, { actor, action: "project.update", subject: change.name ?? project.name, facts });
      });
      changes.publish("project");
      return await showProject(parts);
    }),
    implement(freezeProject, async ({ actor, body }) => {
      await freeze(kits, actor, body.passphrase);
      return await showProject(parts);
    }),
    implement(unlockProject, async ({ actor, body: { passphrase } }) => {
      const { name } = await readFrozenProject(db);
      const caKey = sealingPassphrase(passphrase);
      // In turn: each try takes a third of a second and 128 MiB.
      try {
        await parts.turns.take(async () => await parts.workspace.checkKey(name, caKey));
      } catch (reason) {
        await audit.write(db, { actor, action: "project.unlock", subject: name, outcome: "refused" });
        throw reason;
      }
      parts.passphrase.set(caKey);
      await audit.write(db, { actor, action: "project.unlock", subject: name });
      changes.publish("project");
      await kits.catchUp();
      return await showProject(parts);
    }),
    implement(lockProject, async ({ actor }) => {
      const { name } = await readFrozenProject(db);
      parts.passphrase.forget();
      await audit.write(db, { actor, action: "project.lock", subject: name });
      changes.publish("project");
      return await showProject(parts);
    }),
    implement(rotateProject, async ({ actor, body: { step, isForced } }) => {
      if (step === "start") await startRotation(parts, actor);
      else await finishRotation(parts, actor, isForced);
      return { project: await showProject(parts), behind: [...(await readBehind(parts))] };
    }),
    implement(exportProject, async () => {
      const project = await readProject(db);
      const headers = { "content-disposition": 'attachment; filename="project.yml"' };
      return { headers, body: await exportText(db, project) };
    }),
    implement(importProject, async ({ actor, body }) => {
      const outcome = await importIntoProject({ db, audit, now: parts.now, randomBytes: parts.randomBytes }, actor, body.text);
      changes.publish("project");
      changes.publish("sites");
      return { project: await showProject(parts), ...outcome };
    }),
  ];
}
