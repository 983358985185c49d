/** Algorithm 1 of SCAFFOLD on the server, for one element, with every site's control variate at hand. */
export class ScaffoldServer {
  x: number;
  readonly controls: number[];
  private readonly rate: number;

  constructor(x: number, sites: number, rate: number) {
    this.x = x;
    this.controls = Array.from({ length: sites }, () => 0);
    this.rate = rate;
  }

  /** c, the mean of all sites' control variates, whether or not they take part. */
  get control(): number {
    return this.controls.reduce((sum, value) => sum + value, 0) / this.controls.length;
  }

  /** What the server does with what the sites that take part send, by their number. */
  round(sent: ReadonlyMap<number, { readonly model: number; readonly control: number }>): void {
    let sum = 0;
    for (const [site, { model, control }] of sent) {
      sum += model - this.x;
      this.controls[site] = control;
    }
    this.x += (this.rate * sum) / sent.size;
  }
}
