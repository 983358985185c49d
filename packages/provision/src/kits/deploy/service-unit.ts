import type { ClientParticipant, Project, RelayParticipant, ServerParticipant } from "../../project/project.js";
import { type KitFile, plainFile } from "../kit-file.js";

/** Folder in which the unit expects the kit; another one is written in a copy of the unit. */
const installedIn = "/srv/flare";

/** Where a participant's unit lies in its kit. */
export function serviceUnitPath(name: string): string {
  return `deploy/${serviceName(name)}`;
}

/** Name of a participant's unit. */
export function serviceName(name: string): string {
  return `flare-${name}.service`;
}

/** Where a participant's unit expects its kit. */
export function installedKit(name: string): string {
  return `${installedIn}/${name}`;
}

/**
 * A systemd unit for the process of a kit: not as root, started again when it dies, shut off from what it does not need.
 * Nothing in it keeps training or aggregation from GPUs: no MemoryDenyWriteExecute, which compilers of kernels and V8 fail with, and
 * neither PrivateDevices nor ProtectClock, which both hide device files.
 */
export function serviceUnit({ name: project }: Project, participant: ServerParticipant | ClientParticipant | RelayParticipant): KitFile {
  const { type, name } = participant;
  const kit = installedKit(name);
  const lines = [
    `# Runs the ${type} ${name} of the project ${project}; readme.txt of the kit says how to install it.`,
    "[Unit]",
    `Description=Federated learning ${type} ${name} (${project})`,
    "Wants=network-online.target",
    "After=network-online.target",
    `RequiresMountsFor="${kit}"`,
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "User=flare",
    `WorkingDirectory=${kit}`,
    ...(type === "relay" ? [] : gpuLines),
    `ExecStart=/usr/bin/env flare ${type} start "${kit}"`,
    "# Lines of the journal begin with this, and not with the name of the program that is run first.",
    `SyslogIdentifier=${serviceName(name).replace(/\.service$/, "")}`,
    "Environment=FLARE_WATCHED=on-failure",
    "Restart=on-failure",
    "RestartSec=10",
    "# 4: the command line was not understood; it would not be understood the next time either.",
    "RestartPreventExitStatus=4",
    "# 75: an admin has it restart.",
    "RestartForceExitStatus=75",
    "SuccessExitStatus=75",
    "KillMode=mixed",
    "TimeoutStopSec=90",
    ...(type === "client" ? ["# A job that runs out of memory must not end the site with it.", "OOMPolicy=continue"] : []),
    "UMask=0077",
    "LimitNOFILE=65536",
    "",
    "NoNewPrivileges=yes",
    ...capabilityLines(participant),
    "ProtectSystem=full",
    "ProtectControlGroups=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectHostname=yes",
    "RestrictSUIDSGID=yes",
    "RestrictRealtime=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "KeyringMode=private",
    ...(type !== "client"
      ? ["PrivateTmp=yes", "ProtectProc=invisible", "RestrictNamespaces=yes", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"]
      : []),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ];
  return plainFile(serviceUnitPath(name), `${lines.join("\n")}\n`);
}

/** NVIDIA's libraries make the device files by a setuid program, which NoNewPrivileges keeps from working. */
const gpuLines = [
  "# As root, where the programs are there: the device files of NVIDIA's GPUs, which the process itself may not make.",
  "ExecStartPre=-+/usr/bin/nvidia-smi -L",
  "ExecStartPre=-+/usr/bin/nvidia-modprobe -u -c 0",
];

/** Ports below 1024 are root's, or whose who was given this one capability. */
function capabilityLines(participant: ServerParticipant | ClientParticipant | RelayParticipant): string[] {
  const port = participant.type === "server" ? participant.port : participant.type === "relay" ? participant.listeningHost.port : 0;
  const isLowPort = port > 0 && port < 1024;
  return isLowPort
    ? ["CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_BIND_SERVICE"]
    : ["CapabilityBoundingSet="];
}
