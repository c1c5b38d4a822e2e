// Aggregation and arithmetic on rows of steps. Series are fed in order, and each step's state follows upstream's operations exactly.
import { compensate } from "./compensated";

const SUM: u32 = 0;
const AVG: u32 = 1;
const COUNT: u32 = 2;
const MIN: u32 = 3;
const MAX: u32 = 4;
const GROUP: u32 = 5;
const STDDEV: u32 = 6;
const STDVAR: u32 = 7;

// A step's state: 32 bytes. avg keeps the sum in VALUE until it would overflow, then (MEAN ≠ 0) the running mean; stddev and stdvar
// keep the mean in MEAN and the squares in VALUE.
const STATE_BYTES: usize = 32;
const VALUE: usize = 0;
const COMPENSATION: usize = 8;
const SAMPLES: usize = 16;
const MEAN: usize = 24;

export function aggregateBegin(aggregation: u32, state: usize, steps: u32): void {
  memory.fill(state, 0, <usize>steps * STATE_BYTES);
}

export function aggregateAdd(aggregation: u32, state: usize, row: usize, present: usize, steps: u32): void {
  if (aggregation == SUM) return addSum(state, row, present, steps);
  for (let k: u32 = 0; k < steps; k++) {
    if (load<u8>(present + k) == 0) continue;
    const value = load<f64>(row + (<usize>k << 3));
    const at = state + <usize>k * STATE_BYTES;
    const samples = load<f64>(at, SAMPLES) + 1;
    store<f64>(at, samples, SAMPLES);
    switch (aggregation) {
      case AVG:
        addAverage(at, value, samples);
        break;
      case MIN:
        if (samples == 1 || load<f64>(at) > value || isNaN(load<f64>(at))) store<f64>(at, value);
        break;
      case MAX:
        if (samples == 1 || load<f64>(at) < value || isNaN(load<f64>(at))) store<f64>(at, value);
        break;
      case STDDEV:
      case STDVAR:
        addVariance(at, value, samples);
        break;
    }
  }
}

function addSum(state: usize, row: usize, present: usize, steps: u32): void {
  for (let k: u32 = 0; k < steps; k++) {
    if (load<u8>(present + k) == 0) continue;
    const value = load<f64>(row + (<usize>k << 3));
    const at = state + <usize>k * STATE_BYTES;
    const samples = load<f64>(at, SAMPLES);
    if (samples == 0) {
      store<f64>(at, value);
    } else {
      const total = load<f64>(at);
      const next = total + value;
      store<f64>(at, compensate(value, total, next, load<f64>(at, COMPENSATION)), COMPENSATION);
      store<f64>(at, next);
    }
    store<f64>(at, samples + 1, SAMPLES);
  }
}

function addAverage(at: usize, value: f64, samples: f64): void {
  if (samples == 1) {
    store<f64>(at, value);
    return;
  }
  if (load<f64>(at, MEAN) == 0) {
    const total = load<f64>(at);
    const next = total + value;
    if (abs<f64>(next) != Infinity) {
      store<f64>(at, compensate(value, total, next, load<f64>(at, COMPENSATION)), COMPENSATION);
      store<f64>(at, next);
      return;
    }
    store<f64>(at, 1, MEAN);
    store<f64>(at, total / (samples - 1));
    store<f64>(at, load<f64>(at, COMPENSATION) / (samples - 1), COMPENSATION);
  }
  const q = (samples - 1) / samples;
  const increment = value / samples;
  const scaled = q * load<f64>(at);
  const next = scaled + increment;
  store<f64>(at, compensate(increment, scaled, next, q * load<f64>(at, COMPENSATION)), COMPENSATION);
  store<f64>(at, next);
}

function addVariance(at: usize, value: f64, samples: f64): void {
  if (samples == 1) {
    store<f64>(at, value, MEAN);
    store<f64>(at, isNaN(value) || abs<f64>(value) == Infinity ? NaN : 0);
    return;
  }
  const mean = load<f64>(at, MEAN);
  const delta = value - mean;
  const nextMean = mean + delta / samples;
  store<f64>(at, nextMean, MEAN);
  store<f64>(at, load<f64>(at) + delta * (value - nextMean));
}

export function aggregateFinish(aggregation: u32, state: usize, out: usize, present: usize, steps: u32): u32 {
  let found: u32 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    const at = state + <usize>k * STATE_BYTES;
    const samples = load<f64>(at, SAMPLES);
    const has: u8 = samples > 0 ? 1 : 0;
    store<u8>(present + k, has);
    found += has;
    if (has == 0) continue;
    const value = load<f64>(at);
    const compensation = load<f64>(at, COMPENSATION);
    let result = value;
    switch (aggregation) {
      case SUM:
        result = value + compensation;
        break;
      case AVG:
        result = load<f64>(at, MEAN) != 0 ? value + compensation : value / samples + compensation / samples;
        break;
      case COUNT:
        result = samples;
        break;
      case GROUP:
        result = 1;
        break;
      case STDDEV:
        result = Math.sqrt(value / samples);
        break;
      case STDVAR:
        result = value / samples;
        break;
    }
    store<f64>(out + (<usize>k << 3), result);
  }
  return found;
}

const ADD: u32 = 0;
const SUBTRACT: u32 = 1;
const MULTIPLY: u32 = 2;
const DIVIDE: u32 = 3;
const MODULO: u32 = 4;
const EQUAL: u32 = 5;
const NOT_EQUAL: u32 = 6;
const GREATER: u32 = 7;
const LESS: u32 = 8;
const GREATER_OR_EQUAL: u32 = 9;
const LESS_OR_EQUAL: u32 = 10;

// @ts-ignore: decorator
@inline
function arithmetic(operator: u32, a: f64, b: f64): f64 {
  switch (operator) {
    case ADD:
      return a + b;
    case SUBTRACT:
      return a - b;
    case MULTIPLY:
      return a * b;
    case DIVIDE:
      return a / b;
    default:
      return a % b;
  }
}

// @ts-ignore: decorator
@inline
function holds(operator: u32, a: f64, b: f64): bool {
  switch (operator) {
    case EQUAL:
      return a == b;
    case NOT_EQUAL:
      return a != b;
    case GREATER:
      return a > b;
    case LESS:
      return a < b;
    case GREATER_OR_EQUAL:
      return a >= b;
    default:
      return a <= b;
  }
}

export function binaryRows(
  operator: u32,
  left: usize,
  leftPresent: usize,
  right: usize,
  rightPresent: usize,
  out: usize,
  present: usize,
  steps: u32,
  returnBool: u32,
  keepRight: u32,
): u32 {
  let found: u32 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    let has = load<u8>(leftPresent + k) & load<u8>(rightPresent + k);
    if (has != 0) {
      const offset = <usize>k << 3;
      const a = load<f64>(left + offset);
      const b = load<f64>(right + offset);
      if (operator <= MODULO) {
        store<f64>(out + offset, arithmetic(operator, a, b));
      } else {
        const result = holds(operator, a, b);
        if (returnBool != 0) store<f64>(out + offset, result ? 1 : 0);
        else if (result) store<u64>(out + offset, load<u64>((keepRight != 0 ? right : left) + offset));
        else has = 0;
      }
    }
    store<u8>(present + k, has);
    found += has;
  }
  return found;
}
