import { Alert, Button, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Component, type ReactNode } from "react";

/** Says what to do where a page breaks, or its file cannot be had, as after an update of the dashboard; what is around it stays. */
export class PageBoundary extends Component<{ readonly children: ReactNode }, { readonly isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { readonly isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return (
      <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title="This page cannot be shown" role="alert">
        <Text size="sm">The dashboard may have been updated, or the connection was cut while the page was loaded.</Text>
        <Button size="compact-sm" variant="default" mt="xs" onClick={() => window.location.reload()}>
          Load it anew
        </Button>
      </Alert>
    );
  }
}
