/** What can be set about the node exporter, apart from HTTP. Patterns are RE2 and not anchored; "" means none. */
export interface NodeExporterOptions {
  /** Names of the collectors that run. */
  readonly collectors: readonly string[];
  /** Leave out `process_*`, `nodejs_*` and `promhttp_*`. */
  readonly disableExporterMetrics: boolean;
  /** Requests served at once; further ones are refused with 503. 0 means no limit. */
  readonly requestsMax: number;
  readonly procPath: string;
  readonly sysPath: string;
  readonly rootfsPath: string;
  readonly udevDataPath: string;

  readonly arpDevice: IncludeExclude;
  readonly cpuGuest: boolean;
  readonly cpuInfo: boolean;
  readonly cpuFlagsInclude: string;
  readonly cpuBugsInclude: string;
  readonly diskstatsDevice: IncludeExclude;
  readonly filesystemMountPoint: IncludeExclude;
  readonly filesystemType: IncludeExclude;
  /** How long a mount may take to answer before it counts as stuck. */
  readonly filesystemTimeoutMs: number;
  readonly netclassIgnoredDevices: string;
  readonly netclassIgnoreInvalidSpeed: boolean;
  readonly netdevDevice: IncludeExclude;
  readonly netdevAddressInfo: boolean;
  readonly netdevDetailed: boolean;
  readonly netdevLabelIfAlias: boolean;
  readonly netstatFields: string;
  readonly statSoftirq: boolean;
  /** Directories of `*.prom` files; `*`, `?` and `[…]` may stand for parts of names. */
  readonly textfileDirectories: readonly string[];
  readonly vmstatFields: string;
}

/** At most one of the two is set. */
export interface IncludeExclude {
  readonly include: string;
  readonly exclude: string;
}
