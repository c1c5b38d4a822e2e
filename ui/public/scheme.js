// Runs before the first paint, so that a chosen light or dark theme does not flash the other one.
(() => {
  let scheme = "auto";
  try {
    scheme = localStorage.getItem("narthex-color-scheme") ?? "auto";
  } catch {
    // Storage may be forbidden; the system's theme is then as good a guess as any.
  }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.mantineColorScheme = scheme;
})();
