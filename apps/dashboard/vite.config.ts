import process from "node:process";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The page is static files below `dist/`. The API writes a fresh nonce for each request in place of `__CSP_NONCE__`, so that the
 * component library may add its style sheets under a policy without `unsafe-inline`.
 */
export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": { target: process.env["FLARE_DASHBOARD_URL"] ?? "http://localhost:8443", secure: false } } },
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    sourcemap: false,
    // A file inside a script would need `data:` in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
