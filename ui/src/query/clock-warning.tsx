import { useQuery } from "@tanstack/react-query";
import { queryInstant } from "../api/query.ts";
import { humanizeDuration } from "../base/duration.ts";
import { Notice } from "../parts/notice.tsx";

/** Clocks further apart than this make "now" mean different things to browser and server. */
const skewMsMax = 30_000;

export function ClockWarning(): React.JSX.Element | null {
  const { data: skewMs } = useQuery({
    queryKey: ["clock skew"],
    queryFn: async ({ signal }) => {
      const { data } = await queryInstant("time()", undefined, signal);
      return data.resultType === "scalar" ? Number(data.result[1]) * 1000 - Date.now() : 0;
    },
    staleTime: 60_000,
  });
  if (skewMs === undefined || Math.abs(skewMs) < skewMsMax) return null;
  return (
    <Notice tone="warn">
      The server's clock is {humanizeDuration(Math.abs(skewMs))} {skewMs > 0 ? "ahead of" : "behind"} this
      browser's. A range that ends now may miss the newest samples.
    </Notice>
  );
}
