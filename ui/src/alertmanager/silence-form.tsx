/** A new silence, or a change to one, with the alerts it would fit shown before it is made. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import {
  alertmanagerPath,
  postSilence,
  type ManagedAlert,
  type PostableSilence,
} from "../api/alertmanager.ts";
import { useJson } from "../api/use-api.ts";
import { formatDuration, parseDuration } from "../base/duration.ts";
import { setting } from "../base/store.ts";
import { LabelTags } from "../parts/labels.tsx";
import { Notice } from "../parts/notice.tsx";
import "../parts/choice.css";
import { formatMatcher, newMatcher, operatorOf, operators, withOperator, type Operator } from "./matchers.ts";
import "./alertmanager.css";

/** Who silences from this browser. */
const authorSetting = setting<string>("narthex-silence-author", (stored) =>
  typeof stored === "string" ? stored : "",
);

const durationDefault = "2h";

interface Props {
  given: Partial<PostableSilence>;
  onClose: () => void;
}

export function SilenceForm({ given, onClose }: Props): React.JSX.Element {
  const client = useQueryClient();
  const [matchers, setMatchers] = useState(given.matchers ?? [newMatcher()]);
  const [duration, setDuration] = useState(
    given.endsAt === undefined
      ? durationDefault
      : formatDuration(
          Math.max(60_000, Math.round((Date.parse(given.endsAt) - Date.now()) / 60_000) * 60_000),
        ),
  );
  const [author, setAuthor] = useState(given.createdBy ?? authorSetting.get());
  const [comment, setComment] = useState(given.comment ?? "");
  const durationMs = parseDuration(duration);

  const saving = useMutation({
    mutationFn: () => {
      const now = Date.now();
      authorSetting.set(author);
      return postSilence({
        ...(given.id !== undefined && { id: given.id }),
        matchers,
        startsAt: given.startsAt ?? new Date(now).toISOString(),
        endsAt: new Date(now + durationMs!).toISOString(),
        createdBy: author,
        comment,
      });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["json"] });
      onClose();
    },
  });

  const missing = [
    matchers.every(({ name }) => name.trim() === "") && "a matcher",
    (durationMs === undefined || durationMs <= 0) && "a duration such as 2h or 30m",
    author.trim() === "" && "who you are",
    comment.trim() === "" && "a comment",
  ].filter((each) => each !== false);

  return (
    <form
      className="panel silence-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (missing.length === 0) saving.mutate();
      }}
    >
      <h2>{given.id === undefined ? "New silence" : "Change the silence"}</h2>
      <fieldset className="matchers">
        <legend>Alerts that fit all of these</legend>
        {matchers.map((matcher, index) => {
          const change = (next: typeof matcher): void => setMatchers(matchers.with(index, next));
          return (
            <div key={index} className="matcher">
              <TextInput
                size="xs"
                aria-label="Label name"
                placeholder="label"
                className="mono"
                value={matcher.name}
                onChange={(event) => change({ ...matcher, name: event.currentTarget.value })}
              />
              <select
                className="plain-select"
                aria-label="Operator"
                value={operatorOf(matcher)}
                onChange={(event) => change(withOperator(matcher, event.currentTarget.value as Operator))}
              >
                {operators.map((operator) => (
                  <option key={operator}>{operator}</option>
                ))}
              </select>
              <TextInput
                size="xs"
                aria-label="Label value"
                placeholder="value"
                className="mono grow"
                value={matcher.value}
                onChange={(event) => change({ ...matcher, value: event.currentTarget.value })}
              />
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                disabled={matchers.length === 1}
                onClick={() => setMatchers(matchers.toSpliced(index, 1))}
              >
                Remove
              </Button>
            </div>
          );
        })}
        <Button size="compact-sm" variant="default" onClick={() => setMatchers([...matchers, newMatcher()])}>
          Add matcher
        </Button>
      </fieldset>
      <div className="row silence-fields">
        <TextInput
          size="xs"
          label="For"
          w={110}
          value={duration}
          error={durationMs === undefined || durationMs <= 0}
          onChange={(event) => setDuration(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          label="By"
          w={180}
          value={author}
          onChange={(event) => setAuthor(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          label="Why"
          className="grow"
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
      </div>
      <Preview matchers={matchers} />
      {saving.error !== null && (
        <Notice tone="bad">
          <strong>The silence was not made.</strong> {saving.error.message}
        </Notice>
      )}
      <div className="row">
        <Button type="submit" size="compact-md" disabled={missing.length > 0} loading={saving.isPending}>
          {given.id === undefined ? "Create" : "Save"}
        </Button>
        <Button size="compact-md" variant="default" onClick={onClose}>
          Close
        </Button>
        {missing.length > 0 && <span className="dim">Still needed: {missing.join(", ")}.</span>}
      </div>
    </form>
  );
}

/** How many of the alerts that fit are listed. */
const previewMax = 8;

function Preview({ matchers }: { matchers: PostableSilence["matchers"] }): React.JSX.Element {
  const filter = useDeferredValue(matchers.filter(({ name }) => name.trim() !== "").map(formatMatcher));
  const { data = [], error } = useJson<ManagedAlert[]>(
    `${alertmanagerPath}/alerts`,
    { filter },
    { enabled: filter.length > 0 },
  );
  if (filter.length === 0) return <div className="dim">Give a label to see which alerts fit.</div>;
  if (error !== null) return <Notice tone="bad">{error.message}</Notice>;
  return (
    <div className="preview">
      <div className="dim">
        {data.length === 0
          ? "No alert fits now."
          : `${data.length === 1 ? "This alert" : `These ${data.length} alerts`} would be silenced:`}
      </div>
      {data.slice(0, previewMax).map((alert) => (
        <div key={alert.fingerprint}>
          <LabelTags labels={alert.labels} />
        </div>
      ))}
      {data.length > previewMax && <div className="dim">and {data.length - previewMax} more</div>}
    </div>
  );
}
