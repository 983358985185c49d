import { readKitLink, useKitLink as takeKitRoute } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes, formatMoment } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";
import { OpenFrame } from "../../components/open-frame.js";
import { saveFile } from "../../components/save-file.js";

/** Where an operator without an account downloads a kit, once. */
export function KitLinkPage({ token }: { readonly token: string }) {
  const link = useApiQuery(readKitLink, { body: { token } });
  // oxlint-disable-next-line react/hooks -- the route's name begins as those of hooks do
  const take = useApiMutation(takeKitRoute, { tellsErrors: false, onDone: (response) => saveFile(response, document) });
  return (
    <OpenFrame title="A kit for you" about="It is downloaded once; then the link stops working.">
      <Loaded query={link}>
        {(kit) => (
          <Stack gap="lg">
            <Facts>
              <Fact name="Project">{kit.project}</Fact>
              <Fact name="Participant">{kit.participant}</Fact>
              <Fact name="File">{`${kit.fileName}, ${formatBytes(kit.bytes)}`}</Fact>
              <Fact name="Link good until">{formatMoment(kit.expiresAtMs)}</Fact>
            </Facts>
            <div>
              <Text size="xs" c="dimmed">
                Fingerprint of the project's root: compare it with the project admin over another way.
              </Text>
              <Text size="xs" className="mono">
                {kit.rootFingerprint}
              </Text>
            </div>
            {take.isSuccess ? (
              <Alert color="green" variant="light" role="status">
                {kit.source === "made"
                  ? "The archive is on its way. You need the passphrase to open it: ask for it over another way."
                  : "The archive is on its way. Put it together with your key by flare package."}
              </Alert>
            ) : (
              <Button leftSection={<IconDownload size={16} />} loading={take.isPending} onClick={() => take.mutate({ body: { token } })}>
                Download
              </Button>
            )}
            {take.error !== null && <ErrorPanel error={take.error} />}
          </Stack>
        )}
      </Loaded>
    </OpenFrame>
  );
}
