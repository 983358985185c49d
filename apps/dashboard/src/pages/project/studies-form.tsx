import { listPeople, type Project } from "@flare-ts/dashboard-api/contract";
import { ActionIcon, Button, Group, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useApiQuery } from "../../api/use-api-query.js";
import { useSharedForm } from "../../api/use-shared-form.js";
import { useAllSites } from "../sites/all-sites.js";
import { ProjectForm } from "./project-form.js";

const labels = { studies: "Studies" };

/** Studies: named groups of sites and people inside the project. */
export function StudiesForm({ project }: { readonly project: Project }) {
  const { sites } = useAllSites();
  const people = useApiQuery(listPeople, {});
  const shared = useSharedForm({
    version: project.version,
    changedBy: project.changedBy,
    saved: { studies: project.studies },
  });
  const { form } = shared;
  return (
    <ProjectForm shared={shared} labels={labels} toChange={(values) => values}>
      <Stack gap="md">
        {form.values.studies.length === 0 && (
          <Text size="sm" c="dimmed">
            None: every job runs on all sites that it names.
          </Text>
        )}
        {form.values.studies.map((study, index) => (
          <Group key={index} align="flex-start" wrap="nowrap" gap="sm">
            <Stack gap="xs" flex={1}>
              <TextInput label="Study" placeholder="cancer-2027" {...form.getInputProps(`studies.${index}.name`)} />
              <MultiSelect
                label="Sites"
                searchable
                data={[...new Set([...sites.map(({ name }) => name), ...study.sites])]}
                {...form.getInputProps(`studies.${index}.sites`)}
              />
              <MultiSelect
                label="People"
                searchable
                data={[...new Set([...(people.data?.people ?? []).map(({ email }) => email), ...study.people])]}
                {...form.getInputProps(`studies.${index}.people`)}
              />
            </Stack>
            <ActionIcon aria-label={`Remove study ${index + 1}`} mt={26} onClick={() => form.removeListItem("studies", index)}>
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <div>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconPlus size={14} />}
            onClick={() => form.insertListItem("studies", { name: "", sites: [], people: [] })}
          >
            Add a study
          </Button>
        </div>
      </Stack>
    </ProjectForm>
  );
}
