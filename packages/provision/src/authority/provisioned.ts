import { FlareError } from "@flare-ts/contracts";
import type { ProjectState, StoredState } from "../state/project-state.js";
import type { ChangeContext } from "./change-state.js";

/**
 * The state of a project that has a CA.
 *
 * @throws FlareError `project/not-provisioned`
 */
export function provisioned({ state }: StoredState, { project, stateFile }: ChangeContext): ProjectState {
  if (state !== undefined) return state;
  throw new FlareError("project/not-provisioned", `The project '${project}' has no CA yet.`, { facts: { file: stateFile } });
}
