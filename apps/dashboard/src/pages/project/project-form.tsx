import { getProject, type Project, updateProject } from "@flare-ts/dashboard-api/contract";
import type { UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
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
  readonly project: Project;
  readonly form: UseFormReturnType<V>;
  readonly toChange: (values: V) => ProjectChange;
  readonly children: ReactNode;
}

/** A form for a part of the project; a change that somebody else made meanwhile is not overwritten. */
export function ProjectForm<V extends Record<string, unknown>>({ project, form, toChange, children }: ProjectFormProps<V>) {
  return (
    <ApiForm
      form={form}
      route={updateProject}
      toInput={(values) => ({ body: { ...toChange(values), version: project.version } })}
      submit="Save"
      changes={[getProject]}
      done="The project is saved"
    >
      {children}
    </ApiForm>
  );
}
