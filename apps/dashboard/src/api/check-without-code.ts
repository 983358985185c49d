import { config } from "zod";

// Else the checks of the contract try, as they are made, whether they may make code: the page's policy forbids it, which browsers report.
config({ jitless: true });
