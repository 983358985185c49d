import { listJobs, listJobTemplates, maxJobArchiveBytes, submitJobTemplate, uploadJob } from "@flare-ts/dashboard-api/contract";
import { Button, FileInput, Group, Modal, NumberInput, Radio, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconFileZip, IconTemplate } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ApiForm } from "../../components/api-form.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { formatBytes } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";

export interface SubmitDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Submits a job: one that comes with the dashboard, or the archive of a job's folder. */
export function SubmitDialog({ isOpen, onClose }: SubmitDialogProps) {
  const [, go] = useLocation();
  const show = (id: string): void => {
    onClose();
    go(`/jobs/${id}`);
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title="Submit a job" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Tabs defaultValue="template" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="template" leftSection={<IconTemplate size={16} />}>
            From a template
          </Tabs.Tab>
          <Tabs.Tab value="upload" leftSection={<IconFileZip size={16} />}>
            Upload a job
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="template">
          <TemplateForm onDone={show} />
        </Tabs.Panel>
        <Tabs.Panel value="upload">
          <UploadForm onDone={show} />
        </Tabs.Panel>
      </Tabs>
    </Modal>
  );
}

interface TemplateValues extends Record<string, unknown> {
  template: string;
  name: string;
  rounds: number | string;
  minSites: number | string;
}

function TemplateForm({ onDone }: { readonly onDone: (id: string) => void }) {
  const templates = useApiQuery(listJobTemplates, {});
  const form = useForm<TemplateValues>({ initialValues: { template: "", name: "", rounds: "", minSites: "" } });
  return (
    <Loaded query={templates}>
      {({ templates: all }) => {
        const chosen = all.find(({ id }) => id === form.values.template) ?? all[0];
        return (
          <ApiForm
            form={form}
            route={submitJobTemplate}
            toInput={({ name, rounds, minSites }) => ({
              body: {
                template: chosen?.id ?? "",
                ...(name.trim() === "" ? {} : { name }),
                ...(typeof rounds === "number" && chosen?.rounds !== null ? { rounds } : {}),
                ...(typeof minSites === "number" ? { minSites } : {}),
              },
            })}
            submit="Submit job"
            changes={[listJobs]}
            onDone={({ id }) => onDone(id)}
          >
            <Radio.Group label="Template" value={chosen?.id ?? ""} onChange={(value) => form.setFieldValue("template", value)}>
              <Stack gap="xs" mt={6}>
                {all.map(({ id, title, description, needs }) => (
                  <Radio
                    key={id}
                    value={id}
                    label={title}
                    description={needs === "" ? description : `${description} Needs: ${needs}`}
                    data-autofocus={id === chosen?.id}
                  />
                ))}
              </Stack>
            </Radio.Group>
            <TextInput label="Name" placeholder={chosen?.name ?? ""} {...form.getInputProps("name")} />
            <Group grow align="flex-start">
              {chosen?.rounds !== null && (
                <NumberInput label="Rounds" min={1} placeholder={String(chosen?.rounds ?? "")} {...form.getInputProps("rounds")} />
              )}
              <NumberInput
                label="Sites at least"
                min={1}
                placeholder={String(chosen?.minSites ?? "")}
                {...form.getInputProps("minSites")}
              />
            </Group>
          </ApiForm>
        );
      }}
    </Loaded>
  );
}

function UploadForm({ onDone }: { readonly onDone: (id: string) => void }) {
  const [file, setFile] = useState<File | null>(null);
  const upload = useApiMutation(uploadJob, { changes: [listJobs], tellsErrors: false, onDone: ({ id }) => onDone(id) });
  const isTooLarge = file !== null && file.size > maxJobArchiveBytes;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null && !isTooLarge) upload.mutate({ body: file });
      }}
    >
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          Pack the folder of the job, the one with meta.json in it, as a zip archive.
        </Text>
        <FileInput
          label="Archive"
          placeholder="Choose a .zip file"
          accept=".zip,application/zip"
          leftSection={<IconFileZip size={16} />}
          value={file}
          onChange={setFile}
          error={isTooLarge ? `has ${formatBytes(file.size)}; ${formatBytes(maxJobArchiveBytes)} is the most` : undefined}
          clearable
        />
        {upload.error !== null && <ErrorPanel error={upload.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={upload.isPending} disabled={file === null || isTooLarge}>
            Submit job
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
