import type { Project } from "@flare-ts/dashboard-api/contract";
import { Group, NumberInput, Select, TagsInput, Text, TextInput } from "@mantine/core";
import { usePerson } from "../../api/use-session.js";
import { useSharedForm } from "../../api/use-shared-form.js";
import { ProjectForm } from "./project-form.js";

const labels = {
  "server.name": "Host",
  "server.port": "Port",
  "server.hosts": "Further names",
  "server.organization": "Organisation",
  connectionSecurity: "Connections",
};

const securities = [
  { value: "mtls", label: "Mutual TLS, end to end" },
  { value: "tls", label: "TLS that ends at a proxy" },
  { value: "clear", label: "None: a proxy or tunnel does it" },
];

/** Where everybody connects, and how. */
export function ServerForm({ project }: { readonly project: Project }) {
  const me = usePerson();
  const isFrozen = project.state === "frozen";
  const shared = useSharedForm({
    version: project.version,
    changedBy: project.changedBy,
    saved: {
      server: {
        name: project.server?.name ?? "",
        port: project.server?.port ?? 8002,
        hosts: project.server?.hosts ?? [],
        organization: project.server?.organization ?? me.organization,
      },
      connectionSecurity: project.connectionSecurity,
    },
  });
  const { form } = shared;
  const fields = (
    <>
      <Group grow align="flex-start">
        <TextInput label="Host" description="The DNS name where all connect." disabled={isFrozen} {...form.getInputProps("server.name")} />
        <NumberInput
          label="Port"
          description="One for sites and admins."
          min={1}
          max={65535}
          disabled={isFrozen}
          {...form.getInputProps("server.port")}
        />
      </Group>
      <TagsInput
        label="Further names"
        description="Other names and addresses under which it is reached; Enter adds one."
        disabled={isFrozen}
        {...form.getInputProps("server.hosts")}
      />
      <TextInput
        label="Organisation"
        description="Who runs the server."
        disabled={isFrozen}
        {...form.getInputProps("server.organization")}
      />
      <Select
        label="Connections"
        data={securities}
        allowDeselect={false}
        disabled={isFrozen}
        {...form.getInputProps("connectionSecurity")}
      />
    </>
  );
  if (isFrozen) {
    return (
      <>
        {fields}
        <Text size="xs" c="dimmed" mt="sm">
          Fixed, because kits are made for it.
        </Text>
      </>
    );
  }
  return (
    <ProjectForm shared={shared} labels={labels} toChange={(values) => values}>
      {fields}
    </ProjectForm>
  );
}
