import { getProject, type Project, updateProject } from "@flare-ts/dashboard-api/contract";
import type { ReactNode } from "react";
import type { SharedForm } from "../../api/use-shared-form.js";
import { ApiForm } from "../../components/api-form.js";

/** A change of the project. */
export type ProjectChange = Partial<
  Pick<
    Project,
    | "name"
    | "title"
    | "description"
    | "startsAtMs"
    | "endsAtMs"
    | "connectionSecurity"
    | "allowLogStreaming"
    | "certificates"
    | "studies"
    | "siteProperties"
    | "dockerImage"
  > & { readonly server: NonNullable<Project["server"]> }
>;

export interface ProjectFormProps<V extends Record<string, unknown>> {
  readonly shared: SharedForm<V>;
  /** What its fields are called, by their path. */
  readonly labels: Readonly<Record<string, string>>;
  readonly toChange: (values: V) => ProjectChange;
  readonly children: ReactNode;
}

/** A form for a part of the project; a change that somebody else made meanwhile is not overwritten. */
export function ProjectForm<V extends Record<string, unknown>>({ shared, labels, toChange, children }: ProjectFormProps<V>) {
  return (
    <ApiForm
      form={shared.form}
      shared={shared}
      labels={labels}
      route={updateProject}
      toInput={(values) => ({ body: { ...toChange(values), version: shared.version } })}
      submit="Save"
      changes={[getProject]}
      done="The project is saved"
    >
      {children}
    </ApiForm>
  );
}
