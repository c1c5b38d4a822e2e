import type { Registry } from "@narthex/client";
import { type Clock, systemClock } from "../../base/index.ts";

/** Something that whoever looks at the server should know. */
export interface Notification {
  text: string;
  /** RFC 3339. */
  date: string;
  active: boolean;
}

export interface NotificationStreamOptions {
  /** Those that hold now. */
  active: () => Notification[];
  /** Whether the server ends: then the streams do. */
  isStopping: () => boolean;
  /** Most streams at a time. */
  subscribersMax: number;
  registry: Registry;
  clock?: Clock;
}

/** How often it is looked for changes while somebody listens. */
const pollMs = 500;
/** An empty remark, with which the answer's head goes out before there is anything to tell. */
const opening = Buffer.from(":\n\n");

/** Tells listeners what begins to hold and what ends, as a stream of events. It rests while nobody listens. */
export class NotificationStream {
  readonly #options: NotificationStreamOptions;
  readonly #clock: Clock;
  readonly #subscribers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #sent;
  #told: Notification[] = [];
  #isPolling = false;

  constructor(options: NotificationStreamOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    options.registry.gaugeFunction(
      { name: "prometheus_api_notification_active_subscribers", help: "Who listens to notifications." },
      () => this.#subscribers.size,
    );
    this.#sent = options.registry.counter({
      name: "prometheus_api_notification_updates_sent_total",
      help: "Notifications sent to those who listen.",
    });
  }

  /** A stream that begins with what holds now; undefined when there are too many. */
  subscribe(): ReadableStream<Uint8Array> | undefined {
    if (this.#subscribers.size >= this.#options.subscribersMax || this.#options.isStopping())
      return undefined;
    let subscriber: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        subscriber = controller;
        if (this.#subscribers.size === 0) this.#told = this.#options.active();
        this.#subscribers.add(controller);
        controller.enqueue(opening);
        for (const one of this.#told) this.#send(controller, one);
        this.#poll();
      },
      cancel: () => void this.#subscribers.delete(subscriber),
    });
  }

  /** Goes on by itself until nobody listens any more. */
  #poll(): void {
    if (this.#isPolling || this.#subscribers.size === 0) return;
    this.#isPolling = true;
    this.#clock.after(pollMs, () => {
      this.#isPolling = false;
      this.#tell();
      if (this.#options.isStopping()) for (const subscriber of this.#subscribers) this.#end(subscriber);
      this.#poll();
    });
  }

  #tell(): void {
    const active = this.#options.active();
    const gone = this.#told.filter((one) => !active.some(({ text }) => text === one.text));
    const fresh = active.filter((one) => !this.#told.some(({ text }) => text === one.text));
    this.#told = active;
    for (const one of [...gone.map((each) => ({ ...each, active: false })), ...fresh])
      for (const subscriber of this.#subscribers) this.#send(subscriber, one);
  }

  #send(subscriber: ReadableStreamDefaultController<Uint8Array>, notification: Notification): void {
    subscriber.enqueue(Buffer.from(`data: ${JSON.stringify(notification)}\n\n`));
    this.#sent.inc();
  }

  #end(subscriber: ReadableStreamDefaultController<Uint8Array>): void {
    this.#subscribers.delete(subscriber);
    subscriber.close();
  }
}
