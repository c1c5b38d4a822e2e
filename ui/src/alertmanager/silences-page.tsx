/** Silences: which are in force, new ones, and the end of old ones. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { alertmanagerPath, expireSilence, type PostableSilence, type Silence } from "../api/alertmanager.ts";
import { useJson } from "../api/use-api.ts";
import { matchesSearch } from "../base/labels.ts";
import { Choice } from "../parts/choice.tsx";
import { Empty, Loaded, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import { useSearch, useUrlParam } from "../parts/search.tsx";
import { State } from "../parts/state.tsx";
import { Ago, Time } from "../parts/time.tsx";
import "./alertmanager.css";
import { formatMatcher, matchersOf, newMatcher, readLabels } from "./matchers.ts";
import { NeedsAlertmanager, useHasAlertmanager } from "./presence.tsx";
import { SilenceForm } from "./silence-form.tsx";

const refreshMs = 5000;

const states = ["active", "pending", "expired"] as const;
type SilenceState = (typeof states)[number];

export default function SilencesPage(): React.JSX.Element {
  const query = useJson<Silence[]>(`${alertmanagerPath}/silences`, undefined, { refreshMs });
  const { input, search } = useSearch();
  const [stateParam, setState] = useUrlParam("state");
  const state: SilenceState = states.find((each) => each === stateParam) ?? "active";
  const [newParam, setNew] = useUrlParam("new");
  const [draft, setDraft] = useState<Partial<PostableSilence>>();
  const fromLink = newParam === "" ? undefined : readLabels(newParam);
  const shownDraft = draft ?? (fromLink && { matchers: matchersOf(fromLink) });
  const close = (): void => {
    setDraft(undefined);
    setNew("");
  };
  const all = query.data ?? [];
  // A link to one silence finds it, whatever its state.
  const found = all.filter((silence) =>
    matchesSearch(search, [
      silence.id,
      silence.comment,
      silence.createdBy,
      ...silence.matchers.map(formatMatcher),
    ]),
  );
  const shown = found.filter(({ id, status }) => status.state === state || id === search);

  return (
    <>
      <PageHead title="Silences">
        <Choice
          label="State"
          value={state}
          options={states.map((value) => ({
            value,
            label: (
              <>
                {value}{" "}
                <span className="num">{found.filter(({ status }) => status.state === value).length}</span>
              </>
            ),
          }))}
          onChange={(value) => setState(value === "active" ? "" : value)}
        />
        {input}
        <span className="grow" />
        {useHasAlertmanager() && (
          <Button size="compact-sm" onClick={() => setDraft({ matchers: [newMatcher()] })}>
            New silence
          </Button>
        )}
      </PageHead>
      <div className="stack">
        {shownDraft !== undefined && (
          <SilenceForm key={JSON.stringify(shownDraft)} given={shownDraft} onClose={close} />
        )}
        <NeedsAlertmanager>
          <Loaded query={query} what="the silences">
            {() =>
              shown.length === 0 ? (
                <Empty title={state === "active" ? "Nothing is silenced" : `No ${state} silences`}>
                  <p>
                    A silence keeps alerts that fit its matchers from notifying anybody, for a while. It hides
                    nothing on the pages.
                  </p>
                </Empty>
              ) : (
                <div className="panel">
                  <table className="grid">
                    <thead>
                      <tr>
                        <th style={{ width: 90 }}>State</th>
                        <th>Matchers</th>
                        <th>Comment</th>
                        <th>By</th>
                        <th className="num">Ends</th>
                        <th className="num">Actions</th>
                      </tr>
                    </thead>
                    <tbody>
                      {shown.map((silence) => (
                        <SilenceRow key={silence.id} silence={silence} onRecreate={setDraft} />
                      ))}
                    </tbody>
                  </table>
                </div>
              )
            }
          </Loaded>
        </NeedsAlertmanager>
      </div>
    </>
  );
}

interface RowProps {
  silence: Silence;
  onRecreate: (draft: Partial<PostableSilence>) => void;
}

function SilenceRow({ silence, onRecreate }: RowProps): React.JSX.Element {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const expiry = useMutation({
    mutationFn: () => expireSilence(silence.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["json"] }),
  });
  const { id, startsAt, endsAt, createdBy, comment, matchers } = silence;
  const isOver = silence.status.state === "expired";
  return (
    <tr>
      <td>
        <State name={silence.status.state} tone={silence.status.state === "active" ? "ok" : "none"} />
      </td>
      <td>
        <span className="labels">
          {matchers.map((matcher) => (
            <span key={formatMatcher(matcher)} className="label">
              {formatMatcher(matcher)}
            </span>
          ))}
        </span>
        {expiry.error !== null && <Notice tone="bad">{expiry.error.message}</Notice>}
      </td>
      <td className="anywhere">{comment}</td>
      <td className="anywhere">{createdBy}</td>
      <td className="num" title={`From ${startsAt}`}>
        <Time at={endsAt} />
        <div className="dim">
          <Ago at={endsAt} />
        </div>
      </td>
      <td className="num">
        <Button
          size="compact-xs"
          variant="subtle"
          onClick={() =>
            onRecreate(
              isOver
                ? { matchers, comment, createdBy }
                : { id, matchers, startsAt, endsAt, createdBy, comment },
            )
          }
        >
          {isOver ? "Again" : "Edit"}
        </Button>
        {!isOver && (
          <Button
            size="compact-xs"
            variant={asks ? "filled" : "subtle"}
            color="red"
            loading={expiry.isPending}
            onClick={() => (asks ? expiry.mutate() : setAsks(true))}
            onBlur={() => setAsks(false)}
          >
            {asks ? "Really expire" : "Expire"}
          </Button>
        )}
      </td>
    </tr>
  );
}
