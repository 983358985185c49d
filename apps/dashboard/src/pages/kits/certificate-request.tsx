import { type CertificateRequest, maxRequestBytes } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, FileButton, Group, Text } from "@mantine/core";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { ErrorPanel } from "../../components/error-panel.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes } from "../../components/format.js";

const waits = {
  freeze: "The project has to be frozen first.",
  unlock: "The project's certificate authority is locked.",
  nothing: "It is being answered.",
} as const;

/** A certificate request that is not answered yet: what it waits for, and for which key it is. */
export function WaitingRequest({
  request,
  decision,
  uploaded,
}: {
  readonly request: CertificateRequest;
  /** Said while it waits for a decision. */
  readonly decision: string;
  /** When, and by whom where others may have done it. */
  readonly uploaded: string;
}) {
  return (
    <>
      <Alert color="cobalt" variant="light" title="A certificate is requested">
        {request.problem ?? (request.waitsFor === "decision" ? decision : waits[request.waitsFor])}
      </Alert>
      <Facts>
        <Fact name="Uploaded">{uploaded}</Fact>
        <Fact name="Public key (SHA-256)">
          <span className="mono">{request.publicKeySha256}</span>
        </Fact>
      </Facts>
    </>
  );
}

/** Gives participant.yaml out, and takes the request that `flare cert request` made of it. */
export function RequestExchange({
  participantFile,
  label,
  isUploading,
  onRequest,
}: {
  /** Address of participant.yaml. */
  readonly participantFile: string;
  /** Of what is uploaded, for screen readers. */
  readonly label: string;
  readonly isUploading: boolean;
  readonly onRequest: (file: File) => void;
}) {
  return (
    <Group gap="xs">
      <Button component="a" variant="default" href={participantFile} download leftSection={<IconDownload size={15} />}>
        participant.yaml
      </Button>
      <FileButton accept=".zip,application/zip" onChange={(file) => file !== null && onRequest(file)} inputProps={{ "aria-label": label }}>
        {(props) => (
          <Button {...props} loading={isUploading} leftSection={<IconUpload size={15} />}>
            Upload request
          </Button>
        )}
      </FileButton>
    </Group>
  );
}

/** Why a request was not taken, and how long one may be. */
export function RequestError({ error }: { readonly error: Error }) {
  return (
    <>
      <ErrorPanel error={error} />
      <Text size="xs" c="dimmed" mt={4}>
        At most {formatBytes(maxRequestBytes)}.
      </Text>
    </>
  );
}
