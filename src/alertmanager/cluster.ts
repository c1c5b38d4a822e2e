/** Where other Alertmanagers of the same cluster come in. A single node is a cluster of one. */

export interface ClusterPeer {
  readonly name: string;
  readonly address: string;
}

export type ClusterStatus = "ready" | "settling" | "disabled";

export interface Cluster {
  readonly name: string;
  status(): ClusterStatus;
  peers(): readonly ClusterPeer[];
  /** This node's place in the order in which the nodes take turns to notify; 0 notifies at once. */
  position(): number;
  /** Resolves when the cluster has settled, or `signal` aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** Sends a changed entry, as it stands in the snapshot, to the other nodes. */
  broadcast(state: "silences" | "nflog", entry: Uint8Array): void;
}

export const singleNode: Cluster = {
  name: "",
  status: () => "disabled",
  peers: () => [],
  position: () => 0,
  ready: () => Promise.resolve(),
  broadcast: () => {},
};
