/** How full the filesystems are. */
import { formatBytes, formatValue, parseSample } from "../base/unit.ts";
import { useLiveVector } from "./live.ts";

interface Filesystem {
  mountpoint: string;
  device: string;
  sizeBytes: number;
  availableBytes: number;
}

const rowsMax = 8;

/** From how full on a filesystem is coloured, as a ratio. */
const warnFrom = 0.8;
const badFrom = 0.92;

export function Filesystems({ where }: { where: string | undefined }): React.JSX.Element {
  const expr = `{__name__=~"node_filesystem_(size|avail)_bytes",fstype!~"tmpfs|ramfs|devtmpfs|squashfs|efivarfs|autofs|iso9660|fuse.*|nsfs",${where ?? ""}}`;
  const { data } = useLiveVector(expr, 15_000, where !== undefined);
  const filesystems = readFilesystems(data ?? []);
  return (
    <section className="panel live-panel">
      <div className="live-head">
        <h2>Filesystems</h2>
      </div>
      {data !== undefined && filesystems.length === 0 && (
        <div className="live-empty">The exporter reports no filesystems.</div>
      )}
      <table className="grid filesystems">
        <tbody>
          {filesystems.slice(0, rowsMax).map(({ mountpoint, device, sizeBytes, availableBytes }) => {
            const usedRatio = 1 - availableBytes / sizeBytes;
            return (
              <tr key={mountpoint} title={device}>
                <td className="mono mount">{mountpoint}</td>
                <td className="bar-cell">
                  <div className="bar" role="img" aria-label={`${formatValue(usedRatio, "percent")} used`}>
                    <i
                      className={barTone(usedRatio)}
                      style={{ width: `${Math.min(100, usedRatio * 100)}%` }}
                    />
                  </div>
                </td>
                <td className="num">{(usedRatio * 100).toFixed(1)} %</td>
                <td className="num dim">
                  {formatBytes(availableBytes)} free of {formatBytes(sizeBytes)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

const barTone = (usedRatio: number): string =>
  usedRatio >= badFrom ? "bad" : usedRatio >= warnFrom ? "warn" : "";

/** The fullest first. A filesystem that is mounted at several places is shown at the first. */
function readFilesystems(
  vector: readonly { metric: Readonly<Record<string, string>>; value?: [number, string] }[],
): Filesystem[] {
  const byMountpoint = new Map<string, Filesystem>();
  for (const { metric, value } of vector) {
    const { mountpoint = "", device = "" } = metric;
    const found = byMountpoint.get(mountpoint) ?? { mountpoint, device, sizeBytes: 0, availableBytes: 0 };
    const bytes = parseSample(value?.[1] ?? "NaN");
    byMountpoint.set(
      mountpoint,
      metric["__name__"] === "node_filesystem_size_bytes"
        ? { ...found, sizeBytes: bytes }
        : { ...found, availableBytes: bytes },
    );
  }
  const seen = new Set<string>();
  return [...byMountpoint.values()]
    .filter(({ sizeBytes }) => sizeBytes > 0)
    .sort((a, b) => a.mountpoint.length - b.mountpoint.length || a.mountpoint.localeCompare(b.mountpoint))
    .filter(({ device, sizeBytes, availableBytes }) => {
      const identity = `${device} ${sizeBytes} ${availableBytes}`;
      return !seen.has(identity) && seen.add(identity);
    })
    .sort((a, b) => a.availableBytes / a.sizeBytes - b.availableBytes / b.sizeBytes);
}
