/** One line of the table: a figure of one system. Lower is better unless `higherIsBetter`. */
export interface Figure {
  name: string;
  unit: string;
  value: number;
  higherIsBetter: boolean;
}

/** The figures of one system, in the order in which they were noted. */
export class Figures {
  readonly system: string;
  readonly all: Figure[] = [];

  constructor(system: string) {
    this.system = system;
  }

  note(name: string, unit: string, value: number, higherIsBetter = false): void {
    this.all.push({ name, unit, value, higherIsBetter });
    process.stderr.write(`${this.system}: ${name} ${value.toPrecision(4)} ${unit}\n`);
  }

  get(name: string): number | undefined {
    return this.all.find((figure) => figure.name === name)?.value;
  }
}

/** The first system against the others, as Markdown. */
export function formatTable(results: readonly Figures[]): string {
  const [first, ...peers] = results;
  const header = [
    "",
    "",
    ...results.map(({ system }) => system),
    ...peers.map(({ system }) => `÷ ${system}`),
  ];
  const rows = first!.all.map(({ name, unit, value, higherIsBetter }) => [
    name,
    unit,
    ...results.map((figures) => figures.get(name)?.toPrecision(3) ?? "–"),
    ...peers.map((peer) => {
      const other = peer.get(name);
      // Of nothing there is no share.
      return other === undefined || other === 0
        ? "–"
        : `${(value / other).toFixed(2)}×${higherIsBetter ? " ↑" : ""}`;
    }),
  ]);
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
  return lines.join("");
}
