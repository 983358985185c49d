import {
  getMyConsole,
  getMyParticipantFile,
  listKits,
  maxRequestBytes,
  routeUrl,
  uploadMyRequest,
  withdrawMyRequest,
} from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Code, FileButton, Group, List, Stack, Text } from "@mantine/core";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes, formatMoment } from "../../components/format.js";

const waits = {
  decision: "Your account has to be approved first.",
  freeze: "The project has to be frozen first.",
  unlock: "The project's certificate authority is locked.",
  nothing: "It is being answered.",
} as const;

/** One's own console kit by a request, so that the key never leaves one's own machine. */
export function MyRequest({ email }: { readonly email: string }) {
  const mine = useApiQuery(getMyConsole, {});
  const options = { changes: [getMyConsole, listKits], tellsErrors: false };
  const upload = useApiMutation(uploadMyRequest, { ...options, done: "The request is uploaded" });
  const withdraw = useApiMutation(withdrawMyRequest, { ...options, done: "The request is withdrawn" });
  const request = mine.data?.request ?? null;
  if (request !== null) {
    return (
      <Stack gap="sm">
        <Alert color="cobalt" variant="light" title="A certificate is requested">
          {request.problem ?? waits[request.waitsFor]}
        </Alert>
        <Facts>
          <Fact name="Uploaded">{formatMoment(request.uploadedAtMs)}</Fact>
          <Fact name="Public key (SHA-256)">
            <span className="mono">{request.publicKeySha256}</span>
          </Fact>
        </Facts>
        <div>
          <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate({})}>
            Withdraw request
          </Button>
        </div>
      </Stack>
    );
  }
  return (
    <details>
      <summary>Keep the key on your own machine</summary>
      <Stack gap="sm" mt="sm">
        <List type="ordered" size="sm" spacing={4}>
          <List.Item>
            Take participant.yaml to your machine and run <Code>flare cert request -p participant.yaml</Code>.
          </List.Item>
          <List.Item>
            Upload <Code>{email}.request.zip</Code> here; it holds no secret.
          </List.Item>
          <List.Item>
            Download the answer, and run <Code>flare package {email}.signed.zip</Code>.
          </List.Item>
        </List>
        <Group gap="xs">
          <Button component="a" variant="default" href={routeUrl(getMyParticipantFile)} download leftSection={<IconDownload size={15} />}>
            participant.yaml
          </Button>
          <FileButton
            accept=".zip,application/zip"
            onChange={(file) => file !== null && upload.mutate({ body: file })}
            inputProps={{ "aria-label": "Your certificate request" }}
          >
            {(props) => (
              <Button {...props} loading={upload.isPending} leftSection={<IconUpload size={15} />}>
                Upload request
              </Button>
            )}
          </FileButton>
        </Group>
        {upload.error !== null && (
          <div>
            <ErrorPanel error={upload.error} />
            <Text size="xs" c="dimmed" mt={4}>
              At most {formatBytes(maxRequestBytes)}.
            </Text>
          </div>
        )}
      </Stack>
    </details>
  );
}
