import { createSite, getProject, listSites, type Project } from "@flare-ts/dashboard-api/contract";
import { Modal, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { ApiForm } from "../../components/api-form.js";
import { Loaded } from "../../components/loaded.js";
import { SiteFields, type SiteValues, siteBody } from "./site-fields.js";

export interface AddSiteDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Adds a site with what the project asks of it. */
export function AddSiteDialog({ isOpen, onClose }: AddSiteDialogProps) {
  const project = useApiQuery(getProject, {});
  return (
    <Modal opened={isOpen} onClose={onClose} title="Add a site" closeButtonProps={{ "aria-label": "Close" }}>
      <Loaded query={project}>{(known) => <AddSiteForm project={known} onDone={onClose} />}</Loaded>
    </Modal>
  );
}

function AddSiteForm({ project, onDone }: { readonly project: Project; readonly onDone: () => void }) {
  const me = usePerson();
  const [, go] = useLocation();
  const form = useForm<SiteValues & { name: string; organization: string }>({
    initialValues: {
      name: "",
      organization: me.organization,
      description: "",
      gpus: 0,
      memPerGpuGiB: 0,
      properties: Object.fromEntries(project.siteProperties.map(({ key }) => [key, ""])),
      allowLogStreaming: project.allowLogStreaming,
    },
  });
  return (
    <ApiForm
      form={form}
      route={createSite}
      toInput={(values) => ({ body: { name: values.name, organization: values.organization, ...siteBody(values) } })}
      submit="Add site"
      changes={[listSites]}
      done="The site is added"
      onDone={({ name }) => {
        onDone();
        go(`/sites/${name}`);
      }}
    >
      <TextInput
        label="Name"
        description="As it will stand in its certificate, such as north-1."
        data-autofocus
        {...form.getInputProps("name")}
      />
      {me.role === "project_admin" && <TextInput label="Organisation" {...form.getInputProps("organization")} />}
      <SiteFields form={form} asked={project.siteProperties} />
    </ApiForm>
  );
}
