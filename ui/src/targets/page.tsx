/** Targets: who is scraped, and how it goes. */
import { Button } from "@mantine/core";
import { Fragment, useState } from "react";
import { useApi } from "../api/use-api.ts";
import type { Target, TargetsData } from "../api/types.ts";
import { humanizeDuration } from "../base/duration.ts";
import { foldedSetting } from "../base/settings.ts";
import { Choice } from "../parts/choice.tsx";
import { Fold, setFolded } from "../parts/fold.tsx";
import { LabelTags } from "../parts/labels.tsx";
import { Several } from "../parts/more.tsx";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State, Tally, type Tone } from "../parts/state.tsx";
import { Ago } from "../parts/time.tsx";
import { countHealth, poolsOf, type HealthFilter, type Pool } from "./pools.ts";
import "./targets.css";

const refreshMs = 5000;

export default function TargetsPage(): React.JSX.Element {
  const query = useApi<TargetsData>("/targets", { state: "active" }, { refreshMs });
  const { input, search, setSearch } = useSearch();
  const [healthParam, setHealth] = useUrlParam("health");
  const health = (["up", "down", "unknown"].includes(healthParam) ? healthParam : "all") as HealthFilter;
  const targets = query.data?.data.activeTargets ?? [];
  const counts = countHealth(targets);
  const pools = poolsOf(targets, health, search);
  const foldIds = pools.map(({ name }) => foldId(name));
  const folded = foldedSetting.use();
  const allFolded = foldIds.length > 0 && foldIds.every((id) => folded.includes(id));
  return (
    <>
      <PageHead title="Targets">
        <Choice
          label="Health"
          value={health}
          options={(["all", "up", "down", "unknown"] as const).map((value) => ({
            value,
            label: (
              <>
                {value} <span className="num">{counts[value]}</span>
              </>
            ),
          }))}
          onChange={(value) => setHealth(value === "all" ? "" : value)}
        />
        {input}
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          onClick={() => setFolded(foldIds, !allFolded)}
        >
          {allFolded ? "Unfold all" : "Fold all"}
        </Button>
      </PageHead>
      <Loaded query={query} what="the targets">
        {() =>
          targets.length === 0 ? (
            <Empty title="Nothing is scraped yet">
              <p>
                Targets come from <code>scrape_configs</code> in the configuration. If there are some, service
                discovery shows what was found and what relabelling dropped.
              </p>
            </Empty>
          ) : pools.length === 0 ? (
            <Empty title="No target fits the filter" />
          ) : (
            <>
              {pools.map((pool) => (
                <PoolFold key={pool.name} pool={pool} onPick={setSearch} />
              ))}
            </>
          )
        }
      </Loaded>
    </>
  );
}

const foldId = (name: string): string => `targets ${name}`;

type OnPick = (pair: string) => void;

function PoolFold({ pool, onPick }: { pool: Pool; onPick: OnPick }): React.JSX.Element {
  const { name, shown, total, up } = pool;
  return (
    <Fold
      id={foldId(name)}
      title={name}
      summary={<Tally tone={poolTone(pool)}>{`${up} of ${total} up`}</Tally>}
    >
      <Several items={shown} what="targets">
        {(targets) => (
          <table className="grid targets">
            <thead>
              <tr>
                <th className="col-endpoint">Endpoint</th>
                <th className="col-state">State</th>
                <th>Labels</th>
                <th className="num col-figure">Last scrape</th>
                <th className="num col-figure">Took</th>
                <th className="num col-short">Every</th>
              </tr>
            </thead>
            <tbody>
              {targets.map((target) => (
                <TargetRows
                  key={target.scrapeUrl + JSON.stringify(target.labels)}
                  target={target}
                  onPick={onPick}
                />
              ))}
            </tbody>
          </table>
        )}
      </Several>
    </Fold>
  );
}

/** Targets that have not been scraped yet are no reason for alarm. */
function poolTone({ total, up, down }: Pool): Tone {
  if (up === total) return "ok";
  return down === 0 ? "none" : up === 0 ? "bad" : "warn";
}

function TargetRows({ target, onPick }: { target: Target; onPick: OnPick }): React.JSX.Element {
  const [showsDiscovered, setShowsDiscovered] = useState(false);
  const hasError = target.lastError !== "";
  return (
    <Fragment>
      <tr className={hasError ? "with-error" : undefined}>
        <td>
          <Endpoint target={target} />
        </td>
        <td>
          <State name={target.health} />
        </td>
        <td>
          <LabelTags labels={target.labels} onPick={onPick} />{" "}
          <button
            type="button"
            className="link"
            aria-expanded={showsDiscovered}
            onClick={() => setShowsDiscovered(!showsDiscovered)}
          >
            {showsDiscovered ? "hide discovered" : "discovered"}
          </button>
          {showsDiscovered && (
            <div className="discovered">
              <div className="dim">Before relabelling</div>
              <LabelTags labels={target.discoveredLabels} />
            </div>
          )}
        </td>
        <td className="num">
          <Ago at={target.lastScrape} />
        </td>
        <td className="num">{humanizeDuration(target.lastScrapeDuration * 1000)}</td>
        <td className="num" title={target.scrapeTimeout && `Given up after ${target.scrapeTimeout}`}>
          {target.scrapeInterval ?? ""}
        </td>
      </tr>
      {hasError && (
        <tr className="error-row">
          <td colSpan={6}>
            <span className="mono bad">{target.lastError}</span>
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** Only addresses of the web become links: what a label says could be anything. */
function Endpoint({ target }: { target: Target }): React.JSX.Element {
  const text = target.scrapeUrl;
  return /^https?:\/\//.test(target.globalUrl) ? (
    <a className="mono" href={target.globalUrl} target="_blank" rel="noreferrer">
      {text}
    </a>
  ) : (
    <span className="mono">{text}</span>
  );
}
