import { Alert, createTheme, type MantineColorsTuple } from "@mantine/core";

/** The one accent: a calm cobalt. Shade 7 on white and shade 4 on the dark ground both read at more than 4.5 : 1. */
const cobalt: MantineColorsTuple = [
  "#eef5ff",
  "#dbe9fd",
  "#b6d1fa",
  "#8fb8f5",
  "#6ba1f0",
  "#4688e4",
  "#2c70d2",
  "#1d5fbd",
  "#174d9b",
  "#123c7a",
];

/** Shade 7 under white and 6 on both grounds read at more than 4.5 : 1, which the library's own red does not. */
const red: MantineColorsTuple = [
  "#fdeae8",
  "#fbd3cf",
  "#f5a8a1",
  "#f08379",
  "#e8695e",
  "#dc4d41",
  "#c93a2f",
  "#b42318",
  "#8f1c13",
  "#6d150e",
];

/** Greys with a breath of blue, from paper to ink; the dark scheme counts from its text to its ground. */
const gray: MantineColorsTuple = [
  "#f6f8fa",
  "#eef1f5",
  "#e2e7ed",
  "#d0d7e0",
  "#a9b4c2",
  "#7c8898",
  "#5a6676",
  "#434e5c",
  "#2b343f",
  "#171d25",
];

const dark: MantineColorsTuple = [
  "#d7dde5",
  "#b5bfcb",
  "#98a4b3",
  "#5f6c7b",
  "#3b4552",
  "#2a323d",
  "#1d242d",
  "#151b22",
  "#10151b",
  "#0b0f14",
];

const systemFont =
  'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif';

/** How the dashboard looks: dense enough for operators, quiet enough to be left open all day. */
export const theme = createTheme({
  primaryColor: "cobalt",
  primaryShade: { light: 7, dark: 6 },
  colors: { cobalt, red, gray, dark },
  fontFamily: systemFont,
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace',
  headings: {
    fontFamily: systemFont,
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.25rem", xl: "2rem" },
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "16px" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // The library's own light alerts fail the contrast that small text needs.
    Alert: Alert.extend({
      vars: (_theme, { color }) => ({ root: alertVariables(color ?? "") }),
      styles: { message: { color: "var(--mantine-color-text)" } },
    }),
    Button: { defaultProps: { size: "sm" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, transitionProps: { duration: 120 } } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, events: { hover: true, focus: true, touch: true } } },
    // Without the placeholder: a list of items holds items only, and the first one has the focus.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, shadow: "md", position: "bottom-end", withinPortal: true } },
  },
});

function alertVariables(color: string) {
  const tone = { red: "bad", orange: "warn", green: "good" }[color] ?? "live";
  return { "--alert-bg": `var(--wash-${tone})`, "--alert-color": `var(--ink-${tone})`, "--alert-bd": "1px solid transparent" };
}
