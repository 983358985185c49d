import {
  createKitLink,
  downloadKit,
  getSite,
  type IssuedKit,
  listKits,
  listSites,
  revokeKit,
  revokeKitLink,
  routeUrl,
} from "@flare-ts/dashboard-api/contract";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconDownload, IconLink, IconLinkOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { keyOf } from "../../api/use-api-query.js";
import { CopyField } from "../../components/copy-field.js";
import { RevokeButton } from "./revoke-button.js";

export interface KitActionsProps {
  readonly kit: IssuedKit;
  /** Whether buttons are small, as in tables. @default false */
  readonly isCompact?: boolean;
}

/** Routes whose answers a change of a kit touches. */
export const kitChanges = [listKits, listSites, getSite];

/** What can be done with a kit: download, hand on by a link, revoke. */
export function KitActions({ kit, isCompact = false }: KitActionsProps) {
  const client = useQueryClient();
  const [link, setLink] = useState<string | null>(null);
  const linkButton = useRef<HTMLButtonElement>(null);
  const makeLink = useApiMutation(createKitLink, { changes: kitChanges, onDone: (made) => setLink(made.link) });
  const dropLink = useApiMutation(revokeKitLink, { changes: kitChanges, done: "The link is withdrawn" });
  const revoke = useApiMutation(revokeKit, { changes: kitChanges, done: "The kit is revoked" });
  const params = { id: kit.id };
  const size = isCompact ? "compact-sm" : "sm";
  // The server may have renewed the certificate of one that has ended.
  const isRevocable = kit.condition === "good" || kit.condition === "ending" || kit.condition === "ended";
  return (
    <Group gap="xs">
      {kit.archive !== null && (
        <>
          <Button
            component="a"
            href={routeUrl(downloadKit, params)}
            download={kit.archive.fileName}
            size={size}
            variant={isCompact ? "default" : "filled"}
            leftSection={<IconDownload size={15} />}
            onClick={() => {
              // One with a key can be taken once: what is offered afterwards is another answer.
              setTimeout(() => void Promise.all(kitChanges.map((route) => client.invalidateQueries({ queryKey: keyOf(route) }))), 1500);
            }}
          >
            Download
          </Button>
          <Button
            ref={linkButton}
            size={size}
            variant="default"
            leftSection={<IconLink size={15} />}
            loading={makeLink.isPending}
            onClick={() => makeLink.mutate({ params, body: {} })}
          >
            {kit.link === null ? "Link for an operator" : "New link"}
          </Button>
        </>
      )}
      {kit.link !== null && (
        <Button size={size} variant="default" leftSection={<IconLinkOff size={15} />} onClick={() => dropLink.mutate({ params })}>
          Withdraw link
        </Button>
      )}
      {isRevocable && (
        <RevokeButton size={size} participant={kit.participant} onRevoke={(reason) => revoke.mutate({ params, body: { reason } })} />
      )}
      <Modal
        opened={link !== null}
        onClose={() => setLink(null)}
        // The button was busy when the dialog opened, and had lost the focus.
        returnFocus={false}
        onExitTransitionEnd={() => linkButton.current?.focus()}
        title="Link for an operator"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Stack gap="sm">
          <Text size="sm">
            Whoever has this link downloads the archive of {kit.participant} once. Pass the passphrase on by another way. The link is shown
            this once.
          </Text>
          <CopyField label="Link" value={link ?? ""} />
        </Stack>
      </Modal>
    </Group>
  );
}
