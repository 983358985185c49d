import type { Project } from "@flare-ts/dashboard-api/contract";
import { Group, NumberInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";

/** What a site says about itself, as a form holds it. */
export interface SiteValues extends Record<string, unknown> {
  description: string;
  gpus: number | string;
  memPerGpuGiB: number | string;
  properties: Record<string, string>;
  allowLogStreaming: boolean;
}

/** The body that these values stand for. */
export function siteBody({ description, gpus, memPerGpuGiB, properties, allowLogStreaming }: SiteValues) {
  return {
    description,
    capacity: { gpus: Number(gpus) || 0, memPerGpuGiB: Number(memPerGpuGiB) || 0 },
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== "")),
    allowLogStreaming,
  };
}

export interface SiteFieldsProps<V extends SiteValues> {
  readonly form: UseFormReturnType<V>;
  /** What this project asks of sites. */
  readonly asked: Project["siteProperties"];
}

/** The fields about a site: what it is, what it can do, and what its project asks. */
export function SiteFields<V extends SiteValues>({ form, asked }: SiteFieldsProps<V>) {
  return (
    <>
      <Textarea
        label="Description"
        description="What the site is and who looks after it."
        autosize
        minRows={2}
        {...form.getInputProps("description")}
      />
      <Group grow align="flex-start">
        <NumberInput label="GPUs" min={0} {...form.getInputProps("gpus")} />
        <NumberInput label="Memory of each, GiB" min={0} {...form.getInputProps("memPerGpuGiB")} />
      </Group>
      {asked.map(({ key, label, hint, isRequired, choices }) => {
        const field = { label, description: hint, withAsterisk: isRequired, ...form.getInputProps(`properties.${key}`) };
        return choices === null ? (
          <TextInput key={key} {...field} />
        ) : (
          <Select key={key} data={choices} clearable={!isRequired} {...field} />
        );
      })}
      <Switch
        label="Share logs"
        description="The server may read what training scripts print at this site."
        {...form.getInputProps("allowLogStreaming", { type: "checkbox" })}
      />
    </>
  );
}
