/** A sum of numbers and what rounding has lost of it: Kahan's summation in Neumaier's form. */
export class CompensatedSum {
  value: number;
  lost: number;

  constructor(value = 0, lost = 0) {
    this.value = value;
    this.lost = lost;
  }

  add(addend: number): void {
    const total = this.value + addend;
    if (total === Infinity || total === -Infinity) this.lost = 0;
    else if (Math.abs(this.value) >= Math.abs(addend)) this.lost += this.value - total + addend;
    else this.lost += addend - total + this.value;
    this.value = total;
  }
}
