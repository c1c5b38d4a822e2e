const daySeconds = 86_400;

interface CivilDate {
  year: number;
  /** 1 … 12. */
  month: number;
  day: number;
}

/** Functions of a time in seconds since 1970, in UTC; fractions are cut off as upstream does. */
export const dateFunctions: Readonly<Record<string, (seconds: number) => number>> = {
  minute: (seconds) => Math.floor(secondOfDay(seconds) / 60) % 60,
  hour: (seconds) => Math.floor(secondOfDay(seconds) / 3600),
  // 1970-01-01 was a Thursday.
  day_of_week: (seconds) => (((dayNumber(seconds) + 4) % 7) + 7) % 7,
  day_of_month: (seconds) => civilDate(dayNumber(seconds)).day,
  day_of_year: (seconds) => {
    const day = dayNumber(seconds);
    return day - dayOfDate(civilDate(day).year, 1) + 1;
  },
  days_in_month: (seconds) => {
    const { year, month } = civilDate(dayNumber(seconds));
    const next = month === 12 ? dayOfDate(year + 1, 1) : dayOfDate(year, month + 1);
    return next - dayOfDate(year, month);
  },
  month: (seconds) => civilDate(dayNumber(seconds)).month,
  year: (seconds) => civilDate(dayNumber(seconds)).year,
};

function dayNumber(seconds: number): number {
  return isExact(seconds) ? Math.floor(Math.trunc(seconds) / daySeconds) : wrapped(seconds).day;
}

function secondOfDay(seconds: number): number {
  if (!isExact(seconds)) return wrapped(seconds).second;
  return Math.trunc(seconds) - dayNumber(seconds) * daySeconds;
}

function isExact(seconds: number): boolean {
  return Math.abs(seconds) <= Number.MAX_SAFE_INTEGER;
}

/**
 * Go counts seconds in 64 bits from a day far before any other, and wraps around. What fits no int64, infinities and NaN as well, is the
 * least of them on its way there.
 */
function wrapped(seconds: number): { day: number; second: number } {
  const fits = Math.abs(seconds) < 2 ** 63;
  const whole = BigInt.asUintN(64, (fits ? BigInt(seconds) : -(2n ** 63n)) + BigInt(firstDay) * 86_400n);
  return { day: Number(whole / 86_400n) - firstDay, second: Number(whole % 86_400n) };
}

/** Days of 400 Gregorian years. */
const eraDays = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const epochDays = 719_468;
/** From the day at which Go begins to count, in March 292277022400 years before, to 1970-01-01. */
const firstDay = (292_277_022_400 / 400) * eraDays + epochDays;

/** Proleptic Gregorian date of a day since 1970; years begin in March while counting, so that leap days come last. */
function civilDate(day: number): CivilDate {
  const shifted = day + epochDays;
  const era = Math.floor(shifted / eraDays);
  const dayOfEra = shifted - era * eraDays;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** The day since 1970 on which a month begins. */
function dayOfDate(year: number, month: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * eraDays + dayOfEra - epochDays;
}
