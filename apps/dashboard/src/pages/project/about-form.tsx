import type { Project } from "@flare-ts/dashboard-api/contract";
import { Group, Textarea, TextInput } from "@mantine/core";
import { useSharedForm } from "../../api/use-shared-form.js";
import { dayOf, dayProblem, msOf } from "./day-field.js";
import { ProjectForm } from "./project-form.js";

const labels = { title: "Title", name: "Name", description: "Description", startsAtMs: "Begins", endsAtMs: "Ends" };

/** What the project is, and for how long. */
export function AboutForm({ project }: { readonly project: Project }) {
  const shared = useSharedForm({
    version: project.version,
    changedBy: project.changedBy,
    saved: {
      title: project.title,
      name: project.name,
      description: project.description,
      startsAtMs: dayOf(project.startsAtMs),
      endsAtMs: dayOf(project.endsAtMs),
    },
    validate: { startsAtMs: dayProblem, endsAtMs: dayProblem },
  });
  const { form } = shared;
  const isFrozen = project.state === "frozen";
  return (
    <ProjectForm
      shared={shared}
      labels={labels}
      toChange={({ name, startsAtMs, endsAtMs, ...rest }) => ({
        ...rest,
        ...(isFrozen ? {} : { name }),
        startsAtMs: msOf(startsAtMs),
        endsAtMs: msOf(endsAtMs),
      })}
    >
      <TextInput label="Title" description="What people see." {...form.getInputProps("title")} />
      <TextInput
        label="Name"
        description={
          isFrozen ? "Fixed, because certificates carry it." : "A short name: certificates carry it, and it cannot change later."
        }
        disabled={isFrozen}
        {...form.getInputProps("name")}
        {...(isFrozen ? { value: project.name } : {})}
      />
      <Textarea label="Description" autosize minRows={2} {...form.getInputProps("description")} />
      <Group grow align="flex-start">
        <TextInput type="date" label="Begins" {...form.getInputProps("startsAtMs")} />
        <TextInput type="date" label="Ends" {...form.getInputProps("endsAtMs")} />
      </Group>
    </ProjectForm>
  );
}
