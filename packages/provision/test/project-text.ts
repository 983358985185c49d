const lines: readonly string[] = [
  "api_version: 3",
  "name: example_project",
  "description: two hospitals",
  "participants:",
  "  - name: server1.example.org",
  "    type: server",
  "    org: consortium",
  "    fed_learn_port: 8102",
  '    host_names: [localhost, 127.0.0.1, "::1"]',
  "  - name: hospital-a",
  "    type: client",
  "    org: hospital_a",
  "    connect_to: localhost",
  "  - name: admin@example.org",
  "    type: admin",
  "    org: consortium",
  "    role: lead",
  "builders:",
  "  - path: nvflare.lighter.impl.static_file.StaticFileBuilder",
  "    args:",
  "      scheme: grpc",
  "  - path: nvflare.lighter.impl.cert.CertBuilder",
  "    args:",
  "      root_valid_days: 360",
];

/** A right project file, with the given lines (1-based) replaced; a replacement may hold several lines, or none. */
export function projectText(replacements: Readonly<Record<number, string>> = {}): string {
  return `${lines.flatMap((line, index) => replacements[index + 1] ?? line).join("\n")}\n`;
}
