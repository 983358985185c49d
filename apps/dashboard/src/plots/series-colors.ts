/** Colours that are told apart with the common kinds of colour blindness; for the light and for the dark ground. */
const light = ["#2c70d2", "#c2540a", "#0a8f6a", "#b0338b", "#7a5cc7", "#8a6d00", "#00819c", "#c43a4b"];
const dark = ["#6ba1f0", "#f0945a", "#45c9a0", "#e07fc3", "#ab93ee", "#d3b13c", "#45bcd6", "#f0828f"];

/** The colour of the n-th series. Beyond the palette hues go round by the golden angle, so that neighbours differ. */
export function seriesColor(index: number, scheme: "light" | "dark"): string {
  const palette = scheme === "light" ? light : dark;
  return palette[index] ?? `hsl(${Math.round((index * 137.5) % 360)} ${scheme === "light" ? "62% 40%" : "58% 66%"})`;
}
