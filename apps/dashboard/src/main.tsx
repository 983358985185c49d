// Before all that makes checks.
import "./api/check-without-code.js";
import "./theme/component-styles.css";
import "@mantine/notifications/styles.layer.css";
import "./theme/base.css";
import { createApiClient } from "@flare-ts/dashboard-api/contract";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.js";
import { styleNonce } from "./theme/style-nonce.js";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html lacks #root");

const nonce = styleNonce(document);
// The component library's scroll lock asks for its nonce here.
if (nonce !== undefined) Object.assign(globalThis, { __webpack_nonce__: nonce });

const api = createApiClient({ baseUrl: "", fetch: (...call) => fetch(...call) });
createRoot(root).render(
  <StrictMode>
    <App api={api} nonce={nonce} />
  </StrictMode>,
);
