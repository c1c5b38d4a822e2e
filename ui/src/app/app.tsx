import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { Router } from "wouter";
import { queryClient } from "../api/client.ts";
import { basePath } from "../base/page-globals.ts";
import { Shell } from "./shell.tsx";
import { colorSchemeManager, theme } from "./theme.ts";

export function App(): React.JSX.Element {
  return (
    <MantineProvider theme={theme} colorSchemeManager={colorSchemeManager} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Router base={basePath}>
          <Shell />
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}
