import process from "node:process";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * The page is static files below `dist/`. The API writes a fresh nonce for each request in place of `__CSP_NONCE__`, so that the
 * component library may add its style sheets under a policy without `unsafe-inline`.
 */
export default defineConfig({
  plugins: [react(), sayFirst(), compressFiles()],
  server: { proxy: { "/api": { target: process.env["FLARE_DASHBOARD_URL"] ?? "http://localhost:8443", secure: false } } },
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    sourcemap: false,
    // A file inside a script would need `data:` in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    // All that the first look needs is one script: else what it shares with each set of later pages is a file of its own, twenty in all.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } } },
  },
});

/** Puts the style sheet behind what the page says while its script is on its way: from the head it would hold that back. */
function sayFirst(): Plugin {
  return {
    name: "say-first",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const sheet = /<link rel="stylesheet"[^>]*>/.exec(html)?.[0] ?? "";
        return html.replace(sheet, "").replace("</body>", `${sheet}\n  </body>`);
      },
    },
  };
}

/** Writes each text once more, compressed as well as can be: the API sends these files as they are. */
function compressFiles(): Plugin {
  return {
    name: "compress-files",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          const source = Buffer.from(file.type === "chunk" ? file.code : file.source);
          if (!/\.(js|css|svg)$/.test(file.fileName) || source.length < 1024) continue;
          const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
          this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotliCompressSync(source, { params }) });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}
