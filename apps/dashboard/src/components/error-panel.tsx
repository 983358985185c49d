import { ApiError } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, List, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

export interface ErrorPanelProps {
  readonly error: Error;
  /** Tries again, where that may help. */
  readonly onRetry?: () => void;
  /** Mistakes that no field shows. @default all that the answer names */
  readonly problems?: readonly string[];
}

/** What went wrong, what to do about it, and the code to ask for help with. */
export function ErrorPanel({ error, onRetry, problems }: ErrorPanelProps) {
  const isApi = error instanceof ApiError;
  const lines = problems ?? (isApi ? error.problems.map(({ path, message }) => `${path === undefined ? "" : `${path} `}${message}`) : []);
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} />}
      title={isApi ? error.message : "The dashboard cannot be reached"}
      role="alert"
    >
      {isApi ? (
        <>
          <Text size="sm">{error.todo}</Text>
          {lines.length > 0 && (
            <List size="sm" mt={4}>
              {lines.map((line) => (
                <List.Item key={line}>{line}</List.Item>
              ))}
            </List>
          )}
          <Text size="xs" c="dimmed" className="mono" mt={4}>
            {error.code}
          </Text>
        </>
      ) : (
        <Text size="sm">Check that it runs and that this machine is connected, then try again.</Text>
      )}
      {onRetry !== undefined && (
        <Button size="compact-sm" variant="default" mt="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
