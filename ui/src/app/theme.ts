/** Mantine's theme: system fonts, one accent, small sizes. The colours of our own CSS are in tokens.css. */
import {
  Button,
  createTheme,
  localStorageColorSchemeManager,
  Modal,
  type MantineColorsTuple,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#edf4ff",
  "#d9e7fe",
  "#b3cdfc",
  "#8ab6ff",
  "#6ea8fe",
  "#4f8df0",
  "#3576dd",
  "#2563c4",
  "#1f54a8",
  "#19458a",
];

/** Text first, page background at 7, as Mantine expects of `dark`. */
const dark: MantineColorsTuple = [
  "#dde3ea",
  "#b8c1cb",
  "#939eab",
  "#6b7683",
  "#3a424d",
  "#2a313a",
  "#20262e",
  "#191e25",
  "#12161b",
  "#0d1014",
];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, dark },
  autoContrast: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      vars: () => ({ root: { "--button-fz": "13px" } }),
      styles: { root: { fontWeight: 500 } },
    }),
    Modal: Modal.extend({ styles: { title: { fontWeight: 600 } } }),
  },
});

export const colorSchemeManager = localStorageColorSchemeManager({ key: "narthex-color-scheme" });
