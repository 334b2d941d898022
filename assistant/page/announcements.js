// What Jarvis says by itself, as it comes; a stream that breaks is taken up again where it was.

import { events, request } from "./server.js";

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

export class Announcements {
  #stopped = null;
  #last = "";

  constructor(show) {
    this.show = show;
  }

  start() {
    this.stop();
    const stopped = new AbortController();
    this.#stopped = stopped;
    this.#read(stopped.signal);
  }

  stop() {
    this.#stopped?.abort();
    this.#stopped = null;
  }

  async #read(signal) {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const headers = { Accept: "text/event-stream", ...(this.#last ? { "Last-Event-ID": this.#last } : {}) };
        const answer = await request("/announcements", { headers, signal });
        wait = FIRST_WAIT_MS;
        for await (const { event, data, id } of events(answer)) {
          if (id) this.#last = id;
          if (event === "announcement") this.show(data);
        }
      } catch (error) {
        if (signal.aborted || [401, 403, 404].includes(error.status)) return;
      }
      await pause(wait, signal);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
