import type { Project } from "@flare-ts/dashboard-api/contract";
import { ActionIcon, Button, Checkbox, Group, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useSharedForm } from "../../api/use-shared-form.js";
import { ProjectForm } from "./project-form.js";

const labels = { siteProperties: "Questions" };

interface Asked {
  key: string;
  label: string;
  hint: string;
  isRequired: boolean;
  choices: string[];
}

/** What every site has to say about itself, beyond its capacity. */
export function SitePropertiesForm({ project }: { readonly project: Project }) {
  const shared = useSharedForm<{ siteProperties: Asked[] }>({
    version: project.version,
    changedBy: project.changedBy,
    saved: { siteProperties: project.siteProperties.map((one) => ({ ...one, choices: one.choices ?? [] })) },
  });
  const { form } = shared;
  return (
    <ProjectForm
      shared={shared}
      labels={labels}
      toChange={({ siteProperties }) => ({
        siteProperties: siteProperties.map((one) => ({ ...one, choices: one.choices.length === 0 ? null : one.choices })),
      })}
    >
      <Stack gap="md">
        {form.values.siteProperties.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing besides description and capacity. Ask for what you need to know, such as the number of patients or the scanner.
          </Text>
        )}
        {form.values.siteProperties.map((_, index) => (
          <Group key={index} align="flex-start" wrap="nowrap" gap="sm">
            <Stack gap="xs" flex={1}>
              <Group grow align="flex-start">
                <TextInput label="Key" placeholder="patients" {...form.getInputProps(`siteProperties.${index}.key`)} />
                <TextInput label="Question" placeholder="Number of patients" {...form.getInputProps(`siteProperties.${index}.label`)} />
              </Group>
              <TagsInput
                label="Choices"
                placeholder="any text, where there are none"
                {...form.getInputProps(`siteProperties.${index}.choices`)}
              />
              <Checkbox label="Must be filled in" {...form.getInputProps(`siteProperties.${index}.isRequired`, { type: "checkbox" })} />
            </Stack>
            <ActionIcon aria-label={`Remove question ${index + 1}`} mt={26} onClick={() => form.removeListItem("siteProperties", index)}>
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <div>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconPlus size={14} />}
            onClick={() => form.insertListItem("siteProperties", { key: "", label: "", hint: "", isRequired: true, choices: [] })}
          >
            Add a question
          </Button>
        </div>
      </Stack>
    </ProjectForm>
  );
}
