/** What `flare-provision --help` says. */
export const helpText = `flare-provision: certificates and startup kits of a project

  flare-provision [-p project.yml] [-w workspace]     a kit for each participant, in workspace/<project>/prod_NN
  flare-provision status [kit]                        when which certificate ends, of a workspace or of a kit
  flare-provision revoke <name> --reason <reason>     takes a participant's certificates back: trust.json and crl.pem

  -p, --project-file <file>    default: project.yml
  -w, --workspace <dir>        default: workspace
      --project <name>         which project, where the workspace keeps several (status, revoke)
  -c, --custom-folder <dir>    folder of builders and packagers of your own, default: the current one
      --add-user <file>        one more admin, for this run
      --add-client <file>      one more site, for this run
  -s, --gen-scripts            start_all.sh beside the kits
      --archive                each kit also as an AES-256 zip file, with its passphrase in the last column
      --ca-passphrase-file <file>, or the variable FLARE_CA_PASSPHRASE: seals the private keys of the workspace
      --clear-ca-key           keeps them in clear text
      --force                  for command lines made for FLARE: nothing is asked here in any case

One line for each kit, certificate or file, its columns parted by tabs. Warnings and errors go to the error output.
Exit status: 0 done, 1 error, 4 command line not understood.`;
