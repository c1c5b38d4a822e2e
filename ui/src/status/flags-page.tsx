/** Flags: what the server was started with. */
import { useApi } from "../api/use-api.ts";
import { matchesSearch } from "../base/labels.ts";
import { Empty, Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch } from "../parts/search.tsx";
import "./status.css";

export default function FlagsPage(): React.JSX.Element {
  const query = useApi<Record<string, string>>("/status/flags");
  const { input, search } = useSearch("Search names and values");
  return (
    <>
      <PageHead title="Flags">{input}</PageHead>
      <Loaded query={query} what="the flags">
        {({ data }) => {
          const flags = Object.entries(data)
            .filter(([name, value]) => matchesSearch(search, [`--${name}`, value]))
            .sort(([a], [b]) => a.localeCompare(b));
          if (flags.length === 0) return <Empty title="No flag fits the search" />;
          return (
            <div className="panel">
              <table className="grid">
                <thead>
                  <tr>
                    <th style={{ width: "40%" }}>Flag</th>
                    <th>Value</th>
                  </tr>
                </thead>
                <tbody>
                  {flags.map(([name, value]) => (
                    <tr key={name}>
                      <td className="mono">--{name}</td>
                      <td className="mono anywhere">
                        {value === "" ? <span className="dim">empty</span> : value}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
