import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Fills the placeholders that the real server fills, so that `vite` alone can serve the page while developing. */
function developmentPlaceholders(): Plugin {
  return {
    name: "narthex-development-placeholders",
    apply: "serve",
    transformIndexHtml: (html) =>
      html
        .replaceAll("BASE_PATH_PLACEHOLDER", "/")
        .replaceAll("TITLE_PLACEHOLDER", "Narthex (development)")
        .replaceAll("READY_PLACEHOLDER", "true")
        .replaceAll("LOOKBACKDELTA_PLACEHOLDER", "5m")
        .replaceAll("AGENT_MODE_PLACEHOLDER", "false"),
  };
}

const server = process.env.NARTHEX_URL ?? "http://127.0.0.1:9090";

export default defineConfig({
  // Relative, so that the files find each other under any route prefix.
  base: "./",
  plugins: [react(), developmentPlaceholders()],
  build: {
    target: "es2023",
    // Browsers that know light-dark(); rewritten for older ones it would follow the system and not the chosen theme.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Every file stays a file of its own: inlined data would need a looser content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  server: {
    proxy: { "/api": server, "/-": server, "/alertmanager/api": server },
  },
});
