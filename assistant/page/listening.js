// Push to talk (hold, or press to start and again to end) and hands-free: one microphone, one clip after another.

import { Endpoint, TICK_MS } from "./endpoint.js";
import { Microphone, NoMicrophone } from "./microphone.js";

const HOLD_MS = 350; // a press that is shorter starts, and silence or another press ends
const NOTHING_MS = 8_000;
const LONGEST_MS = 55_000; // the server takes clips of a minute
const STALE_MS = 4_000; // hands-free: so much silence before the first word is thrown away at most

// Events: "change" (the state is another), "level" (detail: 0–1), "clip" (detail: Blob), "began" (somebody speaks),
// "trouble" (detail: {message, mend}).
export class Listening extends EventTarget {
  #microphone = new Microphone();
  #endpoint = new Endpoint();
  #speaker;
  #timer = 0;
  #pressed = 0;
  #opening = false;
  #released = false;
  #began = 0;
  state = "idle"; // idle, opening, holding, pressed, hands-free, hearing

  constructor(speaker) {
    super();
    this.#speaker = speaker;
  }

  get handsFree() {
    return this.state === "hands-free" || this.state === "hearing";
  }

  async press() {
    if (this.handsFree) return this.#finish();
    if (this.state === "pressed") return this.#finish();
    if (this.state !== "idle") return;
    this.#pressed = performance.now();
    this.#released = false;
    this.#speaker.stop(); // whoever talks is not talked over
    if (!(await this.#open())) return;
    this.#listen(this.#released ? "pressed" : "holding"); // let go while it was opened, or asked for: silence ends it
  }

  release() {
    this.#released = true;
    if (this.state !== "holding") return;
    if (this.#short()) this.#become("pressed");
    else this.#finish();
  }

  async setHandsFree(on) {
    if (on === this.handsFree) return;
    if (!on) return this.#close();
    if (this.state !== "idle") this.#close();
    if (await this.#open()) this.#listen("hands-free");
  }

  cancel() {
    if (!this.handsFree) this.#close();
  }

  #short() {
    return performance.now() - this.#pressed < HOLD_MS;
  }

  async #open() {
    if (this.#opening) return false;
    this.#opening = true;
    this.#become("opening");
    try {
      const context = this.#speaker.unlock();
      if (!context) throw new NoMicrophone("This browser cannot record.", "Take a newer one, or type.");
      await this.#microphone.start(context);
      return true;
    } catch (error) {
      this.#become("idle");
      const mend = error instanceof NoMicrophone ? error.mend : "Reload the page.";
      this.dispatchEvent(new CustomEvent("trouble", { detail: { message: error.message, mend } }));
      return false;
    } finally {
      this.#opening = false;
    }
  }

  #listen(state) {
    this.#microphone.record();
    this.#endpoint.reset();
    this.#began = performance.now();
    this.#become(state);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const level = this.#microphone.level();
    this.dispatchEvent(new CustomEvent("level", { detail: Math.min(level * 8, 1) }));
    const lasted = performance.now() - this.#began;
    if (lasted > LONGEST_MS && this.state !== "hands-free") return this.#finish();
    if (this.state === "holding") return;
    const heard = this.#endpoint.hear(level, { playing: this.#speaker.playing });
    if (heard === "began") {
      this.#speaker.stop();
      this.dispatchEvent(new Event("began"));
      if (this.handsFree) this.#become("hearing");
    } else if (heard === "ended") {
      this.#finish();
    } else if (heard === "waiting" && this.state === "hands-free" && lasted > STALE_MS && (this.#endpoint.loud === 0 || lasted > LONGEST_MS)) {
      this.#microphone.record();
      this.#began = performance.now();
    } else if (heard === "waiting" && this.state === "pressed" && lasted > NOTHING_MS) {
      this.#close();
      const detail = { message: "I heard nothing.", mend: "Speak a little louder, or nearer." };
      this.dispatchEvent(new CustomEvent("trouble", { detail }));
    }
  }

  async #finish() {
    if (this.state === "hands-free") return;
    const goesOn = this.handsFree;
    const clip = this.#microphone.take();
    if (goesOn) this.#listen("hands-free");
    else clearInterval(this.#timer);
    const blob = await clip;
    if (!goesOn) this.#close();
    if (blob?.size) this.dispatchEvent(new CustomEvent("clip", { detail: blob }));
  }

  #close() {
    clearInterval(this.#timer);
    this.#microphone.close();
    this.#become("idle");
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
