/** Service discovery: what was found, and what relabelling made of it. */
import { useApi } from "../api/use-api.ts";
import type { TargetsData } from "../api/types.ts";
import type { Labels } from "../base/labels.ts";
import { Choice } from "../parts/choice.tsx";
import { Fold } from "../parts/fold.tsx";
import { LabelTags } from "../parts/labels.tsx";
import { Several } from "../parts/more.tsx";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State } from "../parts/state.tsx";
import { discoveredPools, type DiscoveredPool } from "./pools.ts";
import "./targets.css";

const refreshMs = 10_000;

type StateFilter = "all" | "active" | "dropped";

export default function DiscoveryPage(): React.JSX.Element {
  const query = useApi<TargetsData>("/targets", { state: "any" }, { refreshMs });
  const { input, search } = useSearch();
  const [stateParam, setState] = useUrlParam("state");
  const state: StateFilter = stateParam === "active" || stateParam === "dropped" ? stateParam : "all";
  return (
    <>
      <PageHead title="Service discovery">
        <Choice
          label="State"
          value={state}
          options={(["all", "active", "dropped"] as const).map((value) => ({ value, label: value }))}
          onChange={(value) => setState(value === "all" ? "" : value)}
        />
        {input}
      </PageHead>
      <Loaded query={query} what="what service discovery found">
        {({ data }) => {
          const pools = discoveredPools(data, search);
          return pools.length === 0 ? (
            <Empty title={search === "" ? "Nothing was discovered" : "Nothing fits the search"}>
              <p>
                Each entry of <code>scrape_configs</code> says where its targets are to be found.
              </p>
            </Empty>
          ) : (
            <>
              {pools.map((pool) => (
                <PoolFold key={pool.name} pool={pool} state={state} />
              ))}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

interface Row {
  state: "active" | "dropped";
  discovered: Labels;
  labels: Labels;
}

function PoolFold({ pool, state }: { pool: DiscoveredPool; state: StateFilter }): React.JSX.Element {
  const rows: Row[] = [
    ...(state === "dropped"
      ? []
      : pool.active.map((each): Row => ({
          state: "active",
          discovered: each.discoveredLabels,
          labels: each.labels,
        }))),
    ...(state === "active"
      ? []
      : pool.dropped.map((each): Row => ({
          state: "dropped",
          discovered: each.discoveredLabels,
          labels: {},
        }))),
  ];
  const notKept = pool.droppedTotal - pool.dropped.length;
  return (
    <Fold
      id={`discovery ${pool.name}`}
      title={pool.name}
      summary={<span className="dim num">{`${pool.activeTotal} active, ${pool.droppedTotal} dropped`}</span>}
    >
      {rows.length === 0 ? (
        <div className="more dim">None to show.</div>
      ) : (
        <Several items={rows} what="targets">
          {(shown) => (
            <table className="grid">
              <thead>
                <tr>
                  <th style={{ width: "48%" }}>Discovered labels</th>
                  <th style={{ width: 90 }}>State</th>
                  <th>Target labels</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((row, index) => (
                  <tr key={index}>
                    <td>
                      <LabelTags labels={row.discovered} />
                    </td>
                    <td>
                      <State name={row.state} tone={row.state === "active" ? "ok" : "none"} />
                    </td>
                    <td>
                      {row.state === "active" ? (
                        <LabelTags labels={row.labels} />
                      ) : (
                        <span className="dim">Dropped by relabelling</span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Several>
      )}
      {notKept > 0 && state !== "active" && (
        <div className="more dim">
          {notKept} more were dropped that are not listed; <code>keep_dropped_targets</code> limits how many
          are kept.
        </div>
      )}
    </Fold>
  );
}
