import type { Annotation, AnnotationCollector } from "../annotations.ts";
import type { PositionRange } from "../ast.ts";
import { HistogramRemarks } from "../histogram/remarks.ts";
import type { Evaluation } from "./evaluation.ts";

interface Found {
  readonly series: number;
  readonly level: Annotation["level"];
  readonly text: string;
}

/** What upstream tells of a binary operation: of each step only what was found last, in the order of the series. */
export class StepRemarks implements AnnotationCollector {
  readonly #evaluation: Evaluation;
  readonly #position: PositionRange;
  readonly #remarks: HistogramRemarks;
  readonly #found = new Map<number, Found>();
  #step = 0;
  #series = 0;

  constructor(evaluation: Evaluation, position: PositionRange) {
    this.#evaluation = evaluation;
    this.#position = position;
    this.#remarks = new HistogramRemarks(this, position);
  }

  /** For the remarks on one value, until the next is asked for. Series may come in any order, and again. */
  at(step: number, series: number): HistogramRemarks {
    this.#step = step;
    this.#series = series;
    return this.#remarks;
  }

  warn(text: string): void {
    this.#note({ series: this.#series, level: "warning", text });
  }

  inform(text: string): void {
    this.#note({ series: this.#series, level: "info", text });
  }

  #note(found: Found): void {
    if (this.#found.size === 0) this.#evaluation.atEnd(() => this.#tell());
    const known = this.#found.get(this.#step);
    if (known === undefined || known.series <= found.series) this.#found.set(this.#step, found);
  }

  #tell(): void {
    const { annotations } = this.#evaluation;
    for (const { level, text } of this.#found.values()) {
      if (level === "warning") annotations.warn(text, this.#position);
      else annotations.inform(text, this.#position);
    }
  }
}
