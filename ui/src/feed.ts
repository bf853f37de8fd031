// The connection to the live feed. When it is lost or silent, another one goes on where it was, through the same
// address: a balancer leads it to a master that lives.

import { type Known, NOTHING, taken } from "./known";
import type { FeedEvent } from "./types";

/** Masters say something every second. */
const SILENCE_MS = 4_000;

/** A master that knows of no leader for so long is cut off from the others, or there is none: another one may know more. */
const WITHOUT_LEADER_MS = 10_000;

const RETRY_MS = [100, 250, 500, 1_000, 2_000];

export interface FeedState extends Known {
  isConnected: boolean;
}

type Listener = (state: FeedState) => void;

export class Feed {
  private state: FeedState = { ...NOTHING, isConnected: false };
  private readonly listeners = new Set<Listener>();
  private socket: WebSocket | null = null;
  private silence = 0;
  private retry = 0;
  private failures = 0;
  private led = Date.now();

  constructor(private readonly url: (after: number | null) => string) {
    this.connect();
    // A page that was asleep does not wait for its next look.
    addEventListener("online", () => this.reconnect());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.state.isConnected) {
        this.reconnect();
      }
    });
  }

  get current(): FeedState {
    return this.state;
  }

  /** Calls back with every change; returns how to end that. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private connect() {
    const socket = new WebSocket(this.url(this.state.index));
    this.socket = socket;
    this.listen();
    socket.onmessage = ({ data }) => {
      if (this.socket === socket) {
        this.failures = 0;
        this.listen();
        const event = JSON.parse(data) as FeedEvent;
        this.set({ ...taken(this.state, event), isConnected: true });
        if (event.master.leader !== null) {
          this.led = Date.now();
        }
        const isCutOff = Date.now() - this.led > WITHOUT_LEADER_MS;
        if (isCutOff || (event.kind === "state" && this.state.index === null)) {
          this.led = Date.now();
          this.reconnect();
        }
      }
    };
    socket.onclose = () => {
      if (this.socket === socket) {
        this.lost();
      }
    };
  }

  /** From now on silence counts. */
  private listen() {
    clearTimeout(this.silence);
    this.silence = window.setTimeout(() => this.lost(), SILENCE_MS);
  }

  private lost() {
    this.drop();
    this.set({ ...this.state, isConnected: false });
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? 0;
    this.failures += 1;
    this.retry = window.setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  private reconnect() {
    this.drop();
    this.failures = 0;
    this.connect();
  }

  private drop() {
    clearTimeout(this.silence);
    clearTimeout(this.retry);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private set(state: FeedState) {
    this.state = state;
    for (const listener of this.listeners) {
      listener(state);
    }
  }
}

/** The address of the feed of whoever served this page. */
export function feedUrl(after: number | null): string {
  const url = new URL("api/v1/feed", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  if (after !== null) {
    url.searchParams.set("after", String(after));
  }
  return url.href;
}
