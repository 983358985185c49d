import { exportProject, getProject, importProject, listSites, type Project, routeUrl } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, List, Modal, SimpleGrid, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { ApiForm } from "../../components/api-form.js";
import { ElsewhereNote } from "../../components/elsewhere-note.js";
import { Fact, Facts } from "../../components/facts.js";
import { Loaded } from "../../components/loaded.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { StatusPill } from "../../components/status-pill.js";
import { AboutForm } from "./about-form.js";
import { AuthoritySection } from "./authority-section.js";
import { CertificatesForm } from "./certificates-form.js";
import { dayText } from "./day-field.js";
import { RenewalsSection } from "./renewals-section.js";
import { ServerForm } from "./server-form.js";
import { SitePropertiesForm } from "./site-properties-form.js";
import { StudiesForm } from "./studies-form.js";

/** The project: what it is, where its server is, how it certifies. */
export function ProjectPage() {
  const me = usePerson();
  const project = useApiQuery(getProject, {});
  const isAdmin = me.role === "project_admin";
  return (
    <>
      <PageHeader
        title="Project"
        about={isAdmin ? "What all participants have in common." : undefined}
        badge={
          project.data !== undefined && (
            <StatusPill tone={project.data.state === "frozen" ? "good" : "warn"}>{project.data.state}</StatusPill>
          )
        }
        actions={isAdmin && <Documents isDraft={project.data?.state === "draft"} />}
      />
      <Loaded query={project} lines={10}>
        {(known) => (isAdmin ? <ProjectSettings project={known} /> : <ProjectFacts project={known} />)}
      </Loaded>
    </>
  );
}

function ProjectSettings({ project }: { readonly project: Project }) {
  // Freezing takes fields away from whoever is at them; besides that, what is typed outlasts what others save.
  const { state } = project;
  return (
    <Stack gap="lg">
      {project.isElsewhere ? <ElsewhereNote /> : <AuthoritySection project={project} mayChange />}
      <RenewalsSection project={project} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Section title="About">
          <AboutForm project={project} />
        </Section>
        <Section title="Server">
          <Stack gap="md">
            <ServerForm key={state} project={project} />
          </Stack>
        </Section>
        <Section title="What sites fill in" about="Asked of whoever adds a site.">
          <SitePropertiesForm project={project} />
        </Section>
        <Section title="Certificates and kits">
          <CertificatesForm key={state} project={project} />
        </Section>
        <Section title="Studies" about="Who may use which sites for what.">
          <StudiesForm project={project} />
        </Section>
      </SimpleGrid>
    </Stack>
  );
}

function ProjectFacts({ project }: { readonly project: Project }) {
  return (
    <Stack gap="lg">
      <Section title={project.title || project.name || "A new project"}>
        <Stack gap="md">
          {project.description !== "" && <Text size="sm">{project.description}</Text>}
          <Facts>
            <Fact name="Name">{project.name}</Fact>
            <Fact name="Server">{project.server !== null && `${project.server.name}:${project.server.port}`}</Fact>
            <Fact name="Begins">{project.startsAtMs !== null && dayText(project.startsAtMs)}</Fact>
            <Fact name="Ends">{project.endsAtMs !== null && dayText(project.endsAtMs)}</Fact>
          </Facts>
        </Stack>
      </Section>
      <AuthoritySection project={project} mayChange={false} />
    </Stack>
  );
}

function Documents({ isDraft }: { readonly isDraft: boolean }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [notes, setNotes] = useState<readonly string[] | null>(null);
  const form = useForm({ initialValues: { text: "" } });
  return (
    <>
      {isDraft && (
        <Button variant="default" leftSection={<IconUpload size={16} />} onClick={open}>
          Import
        </Button>
      )}
      <Button
        component="a"
        variant="default"
        href={routeUrl(exportProject)}
        download="project.yml"
        leftSection={<IconDownload size={16} />}
      >
        Export
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => {
          close();
          setNotes(null);
        }}
        title="Import a project.yml"
        size="lg"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {notes === null ? (
          <ApiForm
            form={form}
            route={importProject}
            toInput={(body) => ({ body })}
            submit="Import"
            changes={[getProject, listSites]}
            onDone={({ addedSites, changedSites, peopleToInvite, warnings }) =>
              setNotes([
                ...(addedSites.length > 0 ? [`Sites added: ${addedSites.join(", ")}.`] : []),
                ...(changedSites.length > 0 ? [`Sites changed: ${changedSites.join(", ")}.`] : []),
                ...peopleToInvite.map(({ email, role }) => `Invite ${email} as ${role}.`),
                ...warnings,
              ])
            }
          >
            <Textarea
              label="Text of the file"
              description="As for flare provision; its settings and sites are taken over."
              autosize
              minRows={10}
              maxRows={18}
              className="mono"
              data-autofocus
              {...form.getInputProps("text")}
            />
          </ApiForm>
        ) : (
          <Alert color="green" variant="light" title="The project is imported">
            <List size="sm">
              {notes.map((line) => (
                <List.Item key={line}>{line}</List.Item>
              ))}
            </List>
          </Alert>
        )}
      </Modal>
    </>
  );
}
