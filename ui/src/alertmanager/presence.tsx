import { alertmanagerPath } from "../api/alertmanager.ts";
import { useJson } from "../api/use-api.ts";
import { Empty } from "../parts/notice.tsx";

const useStatus = () => useJson<unknown>(`${alertmanagerPath}/status`);

/** Whether an Alertmanager is served on this origin, as the all-in-one does. */
export const useHasAlertmanager = (): boolean => useStatus().data !== undefined;

/** What the Alertmanager's pages are without one. */
export function NeedsAlertmanager({ children }: { children: React.ReactNode }): React.ReactNode {
  if (useStatus().error?.kind !== "missing") return children;
  return (
    <Empty title="No Alertmanager is served here">
      <p>
        The all-in-one brings one along. A server that runs alone sends its alerts to the Alertmanagers of its
        configuration, which have pages of their own.
      </p>
    </Empty>
  );
}
