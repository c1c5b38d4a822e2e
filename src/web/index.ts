/** The HTTP front of the server: API, lifecycle, own metrics and the web UI's files. */
export type {
  ActiveTargetView,
  AlertmanagersView,
  BuildInfo,
  DroppedTargetView,
  Lifecycle,
  MetadataView,
  NameValue,
  RuleFilter,
  RulesView,
  ScrapeView,
  StatusView,
  TargetMetadataView,
  TsdbStatus,
  UiOptions,
  WebParts,
} from "./parts.ts";
export { createWeb } from "./web.ts";
