import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { wholeNumber } from "../../command-line/number-arguments.js";

/** Adds `flare dashboard …`. */
export function addDashboardCommands(group: Command, bind: BindHandler): void {
  group
    .command("start")
    .description("run the dashboard in the foreground: invite people, hand out kits, watch the federation work")
    .option("--port <number>", "listen here", wholeNumber(0, 65_535), 8443)
    .option("--host <address>", "listen on this address; 0.0.0.0 for all", "127.0.0.1")
    .option("--data <dir>", "folder for the database, keys, and the project's CA; made when it is not there", "flare-dashboard")
    .option("--kit <dir>", "admin kit of a federation that exists already, to watch it (default: the dashboard's own)")
    .option("--page <dir>", "folder of the built page (default: the one that comes with this software)")
    .addOption(
      new Option("--cert <file>", "TLS certificate with its chain, PEM (default: the dashboard makes one)").conflicts("behindProxy"),
    )
    .addOption(new Option("--key <file>", "private key of --cert, PEM").conflicts("behindProxy"))
    .option("--behind-proxy <addresses>", "a proxy at these addresses, with commas between, ends TLS; needs --public-url")
    .option("--public-url <url>", "where people reach it, such as https://flare.example.org; FLARE_PUBLIC_URL says the same")
    .addOption(new Option("--no-tls", "clear HTTP, on this machine's own address only").conflicts(["behindProxy", "cert", "key"]))
    .option("--ca-passphrase-file <file>", "file whose first line opens the CA's key; FLARE_CA_PASSPHRASE does the same")
    .option("--oidc <file>", "institutions whose sign-in can be used, JSON; FLARE_OIDC_FILE says the same")
    .option("--allow-clear", "on the way to a server with connection_security clear, let clear text leave this machine")
    .addHelpText(
      "after",
      `${examplesText([
        ["try it on this machine", "flare dashboard start"],
        [
          "for a project, with a certificate of its own name",
          "flare dashboard start --host 0.0.0.0 --cert fullchain.pem --key key.pem --data /srv/flare",
        ],
        ["behind nginx on this machine", "flare dashboard start --behind-proxy 127.0.0.1 --public-url https://flare.example.org"],
      ])}
The first start prints a link by which the first project admin comes in. A later start with the same --data goes on.
DATABASE_URL   a PostgreSQL database in place of the embedded one
FLARE_SMTP_URL, FLARE_MAIL_FROM   the mail server, smtps://user:password@host, and the sender of letters
FLARE_METRICS_TOKEN   who may read /metrics from other machines sends it as bearer token
`,
    )
    .action(
      bind(
        async () => (await import("./start-dashboard.js")).startDashboardCommand,
        (_words, flags) => ({
          port: flags["port"] as number,
          host: flags["host"] as string,
          data: flags["data"] as string,
          kit: flags["kit"] as string | undefined,
          page: flags["page"] as string | undefined,
          cert: flags["cert"] as string | undefined,
          key: flags["key"] as string | undefined,
          behindProxy: flags["behindProxy"] as string | undefined,
          publicUrl: flags["publicUrl"] as string | undefined,
          isClear: flags["tls"] === false,
          caPassphraseFile: flags["caPassphraseFile"] as string | undefined,
          oidcFile: flags["oidc"] as string | undefined,
          isClearAllowed: flags["allowClear"] === true,
        }),
      ),
    );
  group
    .command("reset-password <email>")
    .description("make a link for a new password while the dashboard is stopped, for an admin whom nobody else can help")
    .option("--data <dir>", "the dashboard's data folder", "flare-dashboard")
    .option("--public-url <url>", "where people reach it; FLARE_PUBLIC_URL says the same")
    .option("--remove-second-factor", "turn the account's second factor off too")
    .addHelpText(
      "after",
      `${examplesText([["the only admin has forgotten the password", "flare dashboard reset-password ann@example.org --data /srv/flare"]])}
The link is good once, for an hour: start the dashboard again, then open it. That it was made stands in the audit trail.
DATABASE_URL   the PostgreSQL database, where the dashboard has one
`,
    )
    .action(
      bind(
        async () => (await import("./reset-password.js")).resetPasswordCommand,
        ([email = ""], flags) => ({
          email,
          data: flags["data"] as string,
          publicUrl: flags["publicUrl"] as string | undefined,
          removesSecondFactor: flags["removeSecondFactor"] === true,
        }),
      ),
    );
}
