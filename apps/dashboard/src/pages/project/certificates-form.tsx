import type { Project } from "@flare-ts/dashboard-api/contract";
import { Group, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useSharedForm } from "../../api/use-shared-form.js";
import { ProjectForm } from "./project-form.js";

const labels = {
  "certificates.keyType": "Keys",
  "certificates.leafLifetime": "Life of a certificate",
  "certificates.rootValidDays": "Life of the root, days",
  "certificates.renewal": "Renewed by",
  dockerImage: "Container image",
  allowLogStreaming: "Sites share logs",
};

/** How certificates are made and renewed, and what kits say besides. */
export function CertificatesForm({ project }: { readonly project: Project }) {
  const isFrozen = project.state === "frozen";
  const shared = useSharedForm({
    version: project.version,
    changedBy: project.changedBy,
    saved: {
      certificates: project.certificates,
      allowLogStreaming: project.allowLogStreaming,
      dockerImage: project.dockerImage ?? "",
    },
  });
  const { form } = shared;
  return (
    <ProjectForm
      shared={shared}
      labels={labels}
      toChange={({ certificates, allowLogStreaming, dockerImage }) => ({
        ...(isFrozen ? {} : { certificates }),
        allowLogStreaming,
        dockerImage: dockerImage === "" ? null : dockerImage,
      })}
    >
      <Group grow align="flex-start">
        <Select
          label="Keys"
          data={["rsa-2048", "rsa-3072", "p256"]}
          allowDeselect={false}
          disabled={isFrozen}
          {...form.getInputProps("certificates.keyType")}
        />
        <TextInput
          label="Life of a certificate"
          description="Such as 90d."
          disabled={isFrozen}
          {...form.getInputProps("certificates.leafLifetime")}
        />
      </Group>
      <Group grow align="flex-start">
        <NumberInput label="Life of the root, days" min={1} disabled={isFrozen} {...form.getInputProps("certificates.rootValidDays")} />
        <Select
          label="Renewed by"
          data={[
            { value: "server", label: "the server, by itself" },
            { value: "ca_holder", label: "the project admin" },
            { value: "none", label: "nobody" },
          ]}
          allowDeselect={false}
          disabled={isFrozen}
          {...form.getInputProps("certificates.renewal")}
        />
      </Group>
      <TextInput
        label="Container image"
        description="What the kits' docker.sh starts; empty for none."
        {...form.getInputProps("dockerImage")}
      />
      <Switch
        label="Sites share logs"
        description="The server may read what training scripts print, where a site says nothing else."
        {...form.getInputProps("allowLogStreaming", { type: "checkbox" })}
      />
    </ProjectForm>
  );
}
