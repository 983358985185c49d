import { ApiError } from "@flare-ts/dashboard-api/contract";
import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorPanel } from "./error-panel.js";

export interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
  /** Lines of the placeholder. @default 4 */
  readonly lines?: number;
}

/**
 * What a query gives once it is there; before that a placeholder, and where it fails the error with a way on. What was there and is no
 * more is not shown either; what cannot be asked for just now is.
 */
export function Loaded<T>({ query, children, lines = 4 }: LoadedProps<T>) {
  if (isGone(query.error)) return <ErrorPanel error={query.error} />;
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <Stack gap="xs" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <Skeleton key={index} height={18} width={`${96 - ((index * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

/** Whether an answer says that there is no such thing, or not any more. */
export function isGone(error: Error | null): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}
