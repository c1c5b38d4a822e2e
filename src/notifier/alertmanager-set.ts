import type { Logger } from "../base/index.ts";
import type { TargetGroup } from "../discovery/index.ts";
import type { HttpClient } from "../http/index.ts";
import type { OutgoingAlert } from "../rules/index.ts";
import type { AlertmanagerConfig } from "./config.ts";
import { httpDelivery } from "./delivery.ts";
import { type Endpoints, endpointsOf } from "./endpoint.ts";
import { relabelAlerts } from "./relabel.ts";
import { SendQueue, type SendQueueOptions } from "./send-queue.ts";

/** The Alertmanagers that one part of the configuration finds, and how to speak to them. */
export class AlertmanagerSet {
  readonly config: AlertmanagerConfig;
  readonly #client: HttpClient;
  readonly #options: SendQueueOptions;
  readonly #logger: Logger;
  #queues = new Map<string, SendQueue>();
  #endpoints: Endpoints = { active: [], dropped: [], problems: [] };

  /** Takes ownership of the client. */
  constructor(config: AlertmanagerConfig, client: HttpClient, options: SendQueueOptions) {
    this.config = config;
    this.#client = client;
    this.#options = options;
    this.#logger = options.logger;
  }

  get active(): readonly string[] {
    return this.#endpoints.active;
  }

  get dropped(): readonly string[] {
    return this.#endpoints.dropped;
  }

  /** The discovered targets, all of them. Resolves when what waited for those that are gone has been dealt with. */
  async update(groups: readonly TargetGroup[], drain: boolean): Promise<void> {
    this.#endpoints = endpointsOf(groups, this.config);
    for (const err of this.#endpoints.problems)
      this.#logger.error("Creating discovered Alertmanagers failed", { err });
    const before = this.#queues;
    this.#queues = new Map();
    for (const url of this.#endpoints.active) {
      this.#queues.set(url, before.get(url) ?? this.#createQueue(url));
      before.delete(url);
    }
    await Promise.all([...before.values()].map((queue) => queue.stop(drain)));
  }

  #createQueue(url: string): SendQueue {
    return new SendQueue(url, httpDelivery(this.#client, url, this.config.timeoutMs), this.#options);
  }

  send(alerts: readonly OutgoingAlert[]): void {
    const relabeled = relabelAlerts(alerts, this.config.alertRelabelConfigs);
    for (const queue of this.#queues.values()) queue.add(relabeled);
  }

  /** Ends everything; resolves when nothing is on its way. */
  async close(drain: boolean): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop(drain)));
    this.#queues.clear();
    await this.#client.close();
  }
}
