/** Values of a gauge, by the text of its labels (`state="open"`), or one without labels. */
export type GaugeReading = number | Readonly<Record<string, number>>;

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly read: () => GaugeReading | Promise<GaugeReading>;
}

/** Upper ends of the buckets, in seconds. */
const buckets = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10];

interface Durations {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** What the dashboard counts, in the text format of Prometheus. */
export class Metrics {
  readonly #gauges: Gauge[] = [];
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Durations>();

  /** Adds a value that is read when somebody asks for the metrics. */
  gauge(name: string, help: string, read: Gauge["read"]): void {
    this.#gauges.push({ name, help, read });
  }

  /** Counts an answered request. Labels have few values: the route's id, never an address. */
  countRequest(init: { readonly route: string; readonly status: number; readonly seconds: number }): void {
    const labels = `route="${init.route}",status="${init.status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    const route = `route="${init.route}"`;
    const durations = this.#durations.get(route) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
    this.#durations.set(route, durations);
    durations.sum += init.seconds;
    durations.count += 1;
    for (const [i, end] of buckets.entries()) if (init.seconds <= end) durations.counts[i] = (durations.counts[i] ?? 0) + 1;
  }

  /** All metrics as text. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  async text(): Promise<string> {
    const lines = [
      ...header("flare_dashboard_requests_total", "Requests that were answered.", "counter"),
      ...[...this.#requests].map(([labels, count]) => `flare_dashboard_requests_total{${labels}} ${count}`),
      ...header("flare_dashboard_request_seconds", "How long answers took.", "histogram"),
      ...[...this.#durations].flatMap(([route, durations]) => durationLines(route, durations)),
    ];
    for (const { name, help, read } of this.#gauges) {
      const reading = await read();
      lines.push(...header(name, help, "gauge"));
      if (typeof reading === "number") lines.push(`${name} ${reading}`);
      else lines.push(...Object.entries(reading).map(([labels, value]) => `${name}{${labels}} ${value}`));
    }
    return `${lines.join("\n")}\n`;
  }
}

function header(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function durationLines(route: string, { counts, sum, count }: Durations): string[] {
  const name = "flare_dashboard_request_seconds";
  return [
    ...buckets.map((end, i) => `${name}_bucket{${route},le="${end}"} ${counts[i] ?? 0}`),
    `${name}_bucket{${route},le="+Inf"} ${count}`,
    `${name}_sum{${route}} ${sum}`,
    `${name}_count{${route}} ${count}`,
  ];
}
