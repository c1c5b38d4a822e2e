/**
 * Go's text/template and html/template, with the functions Prometheus and Alertmanager add to them.
 *
 * A template sees an explicit data model (value.ts) and nothing else of the program: text → lexer → parser → execute,
 * which writes either plain text or, through html/, text in which every value is escaped for the place it stands in.
 */
export { alertmanagerFunctions } from "./alertmanager.ts";
export { formatRfc3339 } from "./layout.ts";
export { unquote as unquoteGo } from "./literal.ts";
export {
  type AlertData,
  type ExpansionContext,
  type TemplateSample,
  alertTemplateData,
  Expander,
  prometheusFunctionNames,
} from "./prometheus.ts";
export { Template, type TemplateMode, type TemplateOptions, outputBytesMax } from "./template.ts";
export { DurationValue, TimeValue, zeroTimeMs } from "./time.ts";
export {
  type FunctionMap,
  ListValue,
  MapValue,
  type ParamType,
  SafeText,
  stringList,
  stringMap,
  StructValue,
  type TemplateFunction,
  templateFunction,
  types,
  type Value,
} from "./value.ts";
export { checkZone, fromWallClock, wallClock, type Zone, zoneOffsetMs } from "./zone.ts";
