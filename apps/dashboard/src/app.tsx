import type { ApiClient } from "@flare-ts/dashboard-api/contract";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProvider } from "./api/api-context.js";
import { createQueryClient } from "./api/create-query-client.js";
import { Pages } from "./pages/pages.js";
import { cssVariables } from "./theme/css-variables.js";
import { theme } from "./theme/theme.js";

export interface AppProps {
  readonly api: ApiClient;
  /** For style sheets that scripts add. */
  readonly nonce: string | undefined;
}

/** The whole page. */
export function App({ api, nonce }: AppProps) {
  const [queryClient] = useState(createQueryClient);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      cssVariablesResolver={cssVariables}
      {...(nonce === undefined ? {} : { getStyleNonce: () => nonce })}
    >
      <QueryClientProvider client={queryClient}>
        <ApiProvider value={api}>
          <Notifications position="bottom-right" />
          <Pages />
        </ApiProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
