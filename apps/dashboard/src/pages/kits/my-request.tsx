import {
  getMyConsole,
  getMyParticipantFile,
  listKits,
  routeUrl,
  uploadMyRequest,
  withdrawMyRequest,
} from "@flare-ts/dashboard-api/contract";
import { Button, Code, List, Stack } from "@mantine/core";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { formatMoment } from "../../components/format.js";
import { RequestError, RequestExchange, WaitingRequest } from "./certificate-request.js";

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
        <WaitingRequest request={request} decision="Your account has to be approved first." uploaded={formatMoment(request.uploadedAtMs)} />
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
        <RequestExchange
          participantFile={routeUrl(getMyParticipantFile)}
          label="Your certificate request"
          isUploading={upload.isPending}
          onRequest={(file) => upload.mutate({ body: file })}
        />
        {upload.error !== null && (
          <div>
            <RequestError error={upload.error} />
          </div>
        )}
      </Stack>
    </details>
  );
}
