import { useQueryClient } from "@tanstack/react-query";
import { useServerState } from "../api/health.ts";
import type { WalReplay } from "../api/types.ts";
import { formatClock } from "../base/time.ts";
import { zoneSetting } from "../base/settings.ts";

/** One line below the header while the server is not simply there: what is broken, and what still works. */
export function ServerBanner(): React.JSX.Element | null {
  const { data: state } = useServerState();
  const zone = zoneSetting.use();
  const client = useQueryClient();
  if (state === undefined || state.name === "ready") return null;
  if (state.name === "unreachable") {
    return (
      <div className="banner bad" role="alert">
        <strong>The server does not answer</strong> since {formatClock(state.sinceMs, zone)}. What is on the
        page is what it said last; pages not opened before and new queries will fail. Trying again every
        second.
        <button type="button" className="link" onClick={() => void client.invalidateQueries()}>
          Try everything now
        </button>
      </div>
    );
  }
  if (state.name === "stopping") {
    return (
      <div className="banner warn" role="alert">
        <strong>The server is shutting down.</strong> Queries may fail; this page goes on asking until it is
        back.
      </div>
    );
  }
  return (
    <div className="banner warn" role="status">
      <strong>The server is starting.</strong> {replayText(state.replay)} Configuration, flags and status can
      be seen already.
      {state.replay !== undefined && state.replay.max > 0 && (
        <progress
          value={state.replay.current - state.replay.min}
          max={state.replay.max - state.replay.min + 1}
        />
      )}
    </div>
  );
}

function replayText(replay: WalReplay | undefined): string {
  if (replay === undefined || replay.max === 0) return "Queries answer once the stored data are open.";
  return `Reading the log, segment ${replay.current} of ${replay.max}; queries answer after that.`;
}
