import type { ProjectState } from "../state/project-state.js";

/** Every root that participants are to trust, the one in force first; PEM, for `rootCA.pem` and for the trust list. */
export function trustedRoots({ root, formerRoots }: Pick<ProjectState, "root" | "formerRoots">): readonly string[] {
  return [root, ...formerRoots].map(({ certificatePem }) => certificatePem);
}

/** The same as one text. */
export function trustedRootsPem(state: Pick<ProjectState, "root" | "formerRoots">): string {
  return trustedRoots(state).join("");
}
