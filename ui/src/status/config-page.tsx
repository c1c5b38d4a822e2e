/** Configuration: what is loaded, defaults included, secrets hidden by the server. */
import { memo } from "react";
import { useApi } from "../api/use-api.ts";
import { CopyButton } from "../parts/copy.tsx";
import { Loaded } from "../parts/notice.tsx";
import { PageHead } from "../parts/page.tsx";
import "./status.css";
import { yamlPieces } from "./yaml.ts";

export default function ConfigPage(): React.JSX.Element {
  const query = useApi<{ yaml: string }>("/status/config");
  const yaml = query.data?.data.yaml;
  return (
    <>
      <PageHead title="Configuration">
        {yaml !== undefined && <CopyButton text={yaml} label="Copy YAML" />}
      </PageHead>
      <Loaded query={query} what="the configuration">
        {({ data }) => <Yaml text={data.yaml} />}
      </Loaded>
    </>
  );
}

const Yaml = memo(function Yaml({ text }: { text: string }): React.JSX.Element {
  return (
    <pre className="panel code yaml">
      {text.split("\n").map((line, index) => (
        <div key={index} className="yaml-line">
          {yamlPieces(line).map((piece, at) => (
            <span key={at} className={`yaml-${piece.kind}`}>
              {piece.text}
            </span>
          ))}
          {"\n"}
        </div>
      ))}
    </pre>
  );
});
