/** The server at a glance: each number leads to the page behind it. */
import { Link } from "wouter";
import { useApi } from "../api/use-api.ts";
import type { Alert, TsdbData } from "../api/types.ts";
import { formatCount, formatSi, parseSample } from "../base/unit.ts";
import { useLiveVector } from "./live.ts";

const refreshMs = 5000;

/** The server counts through all its series for this answer. */
const seriesRefreshMs = 30_000;

/** By the server's own count where it scrapes itself, else by what the scrapes report. */
const samplesPerSecondExpr =
  "sum(rate(prometheus_tsdb_head_samples_appended_total[1m])) or sum(sum_over_time(scrape_samples_scraped[1m])) / 60";

export function Tiles(): React.JSX.Element {
  const up = useLiveVector("count(up)", refreshMs).data;
  const down = useLiveVector("count(up == 0) or vector(0)", refreshMs).data;
  const samples = useLiveVector(samplesPerSecondExpr, refreshMs).data;
  const alerts =
    useApi<{ alerts: Alert[] | null }>("/alerts", undefined, { refreshMs }).data?.data.alerts ?? undefined;
  const series = useApi<TsdbData>("/status/tsdb", { limit: 1 }, { refreshMs: seriesRefreshMs }).data?.data
    .headStats.numSeries;

  const total = numberOf(up);
  const downCount = numberOf(down);
  const firing = alerts?.filter(({ state }) => state === "firing").length;
  const pending = alerts?.filter(({ state }) => state === "pending").length ?? 0;
  return (
    <div className="tiles">
      <Tile href="/targets" name="Targets up" tone={downCount !== undefined && downCount > 0 ? "bad" : ""}>
        {total === undefined || downCount === undefined
          ? "–"
          : `${formatCount(total - downCount)} / ${formatCount(total)}`}
      </Tile>
      <Tile
        href="/alerts"
        name={pending > 0 ? `Alerts firing (${pending} pending)` : "Alerts firing"}
        tone={firing !== undefined && firing > 0 ? "bad" : ""}
      >
        {firing === undefined ? "–" : formatCount(firing)}
      </Tile>
      <Tile href="/targets" name="Samples per second">
        {formatOptional(numberOf(samples), (value) => formatSi(value, 3))}
      </Tile>
      <Tile href="/tsdb-status" name="Series in memory">
        {formatOptional(series, formatCount)}
      </Tile>
    </div>
  );
}

const numberOf = (vector: readonly { value?: [number, string] }[] | undefined): number | undefined =>
  vector?.[0]?.value === undefined ? undefined : parseSample(vector[0].value[1]);

const formatOptional = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? "–" : format(value);

interface TileProps {
  href: string;
  name: string;
  tone?: string;
  children: React.ReactNode;
}

function Tile({ href, name, tone = "", children }: TileProps): React.JSX.Element {
  return (
    <Link href={href} className="panel tile">
      <span className={`tile-value ${tone}`}>{children}</span>
      <span className="dim">{name}</span>
    </Link>
  );
}
