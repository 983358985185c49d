import {
  freezeProject,
  getProject,
  listSites,
  lockProject,
  type Project,
  rotateProject,
  unlockProject,
} from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Group, List, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconLock, IconLockOpen, IconSnowflake } from "@tabler/icons-react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { ApiForm } from "../../components/api-form.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { Fact, Facts } from "../../components/facts.js";
import { count, formatDay, formatMoment } from "../../components/format.js";
import { Section } from "../../components/section.js";
import { StatusPill } from "../../components/status-pill.js";

const changes = [getProject, listSites];

/** The project's certificate authority: made by freezing, opened by its passphrase. */
export function AuthoritySection({ project, mayChange }: { readonly project: Project; readonly mayChange: boolean }) {
  const { authority } = project;
  return (
    <Section
      title="Certificate authority"
      about={authority === null ? "Made when the project is frozen; it signs the certificate of every participant." : undefined}
      actions={
        authority !== null && (
          <StatusPill tone={authority.isUnlocked ? "good" : "warn"}>{authority.isUnlocked ? "unlocked" : "locked"}</StatusPill>
        )
      }
    >
      {authority === null ? (
        mayChange ? (
          <Freeze project={project} />
        ) : (
          <Text size="sm" c="dimmed">
            The project is a draft still.
          </Text>
        )
      ) : (
        <Stack gap="md">
          <Facts>
            <Fact name="Frozen">
              {project.frozenAtMs !== null &&
                `${formatMoment(project.frozenAtMs)}${project.frozenBy === null ? "" : ` by ${project.frozenBy}`}`}
            </Fact>
            <Fact name="Root good until">{formatDay(authority.rootValidToMs)}</Fact>
            <Fact name="Trust list">{authority.trustListNumber === 0 ? "none yet" : `number ${authority.trustListNumber}`}</Fact>
            <Fact name="Waiting for it">
              {authority.waiting.requests + authority.waiting.revocations > 0 &&
                `${count(authority.waiting.requests, "request")}, ${count(authority.waiting.revocations, "revocation")}`}
            </Fact>
          </Facts>
          <div>
            <Text size="xs" c="dimmed">
              Fingerprint of the root; participants compare it over another way
            </Text>
            <Text size="xs" className="mono" style={{ overflowWrap: "anywhere" }}>
              {authority.rootFingerprint}
            </Text>
          </div>
          {mayChange && <AuthorityActions authority={authority} />}
        </Stack>
      )}
    </Section>
  );
}

function Freeze({ project }: { readonly project: Project }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({
    initialValues: { passphrase: "", again: "" },
    validate: { again: (value, values) => (value === values.passphrase ? null : "is not the same") },
  });
  const isReady = project.missing.length === 0;
  return (
    <Stack gap="md">
      {!isReady && (
        <Alert color="orange" variant="light" title="Before it can be frozen">
          <List size="sm">
            {project.missing.map((line) => (
              <List.Item key={line}>{line}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Text size="sm" c="dimmed">
        Freezing fixes name, server, connections and certificates, and cannot be undone. Sites and people can still be added.
      </Text>
      <div>
        <Button leftSection={<IconSnowflake size={16} />} disabled={!isReady} onClick={open}>
          Freeze project
        </Button>
      </div>
      <Modal opened={isOpen} onClose={close} title="Freeze the project?" closeButtonProps={{ "aria-label": "Close" }}>
        <ApiForm
          form={form}
          route={freezeProject}
          toInput={({ passphrase }) => ({ body: project.isPassphraseGiven ? {} : { passphrase } })}
          submit="Freeze project"
          changes={changes}
          done="The project is frozen: kits can be issued"
          onDone={close}
        >
          <Text size="sm">
            {project.isPassphraseGiven
              ? "The key of the certificate authority is sealed with the passphrase that the dashboard was started with."
              : "Choose a passphrase: it seals the key of the certificate authority. Keep it well. It is asked for after each restart of the dashboard, and nobody can recover it."}
          </Text>
          {!project.isPassphraseGiven && (
            <>
              <PasswordInput
                label="Passphrase"
                autoComplete="new-password"
                visibilityToggleButtonProps={{ "aria-label": "Show the passphrase" }}
                data-autofocus
                {...form.getInputProps("passphrase")}
              />
              <PasswordInput
                label="Once more"
                autoComplete="new-password"
                visibilityToggleButtonProps={{ "aria-label": "Show the repeated passphrase" }}
                {...form.getInputProps("again")}
              />
            </>
          )}
        </ApiForm>
      </Modal>
    </Stack>
  );
}

function AuthorityActions({ authority }: { readonly authority: NonNullable<Project["authority"]> }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const form = useForm({ initialValues: { passphrase: "" } });
  const lock = useApiMutation(lockProject, { changes, done: "The certificate authority is locked" });
  const rotate = useApiMutation(rotateProject, {
    changes,
    onDone: ({ behind }) =>
      notifications.show({
        message: behind.length === 0 ? "Done." : `These still need a kit of the new root: ${behind.join(", ")}.`,
        color: behind.length === 0 ? "green" : "orange",
        autoClose: 12_000,
      }),
  });
  return (
    <Group gap="xs">
      {authority.isUnlocked ? (
        <Button variant="default" leftSection={<IconLock size={15} />} onClick={() => lock.mutate({})}>
          Lock
        </Button>
      ) : (
        <Button leftSection={<IconLockOpen size={15} />} onClick={open}>
          Unlock
        </Button>
      )}
      {authority.isRollingOver ? (
        <ConfirmButton
          disabled={!authority.isUnlocked}
          question="End the trust in the old root?"
          consequence="Participants that still have a certificate of the old root are cut off; the dashboard refuses if there are any."
          verb="End it"
          onConfirm={() => rotate.mutate({ body: { step: "finish" } })}
        >
          Finish the new root
        </ConfirmButton>
      ) : (
        <ConfirmButton
          disabled={!authority.isUnlocked}
          question="Begin a new root?"
          consequence="A new root is made and trusted beside the old one. Then every participant gets a kit of the new root, and the old one is ended."
          verb="Begin"
          onConfirm={() => rotate.mutate({ body: { step: "start" } })}
        >
          New root
        </ConfirmButton>
      )}
      <Modal opened={isOpen} onClose={close} title="Unlock the certificate authority" closeButtonProps={{ "aria-label": "Close" }}>
        <ApiForm
          form={form}
          route={unlockProject}
          toInput={(body) => ({ body })}
          submit="Unlock"
          changes={changes}
          done="The certificate authority is unlocked"
          onDone={() => {
            form.reset();
            close();
          }}
        >
          <PasswordInput
            label="Passphrase"
            autoComplete="off"
            visibilityToggleButtonProps={{ "aria-label": "Show the passphrase" }}
            data-autofocus
            {...form.getInputProps("passphrase")}
          />
        </ApiForm>
      </Modal>
    </Group>
  );
}
