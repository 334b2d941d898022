// Speech as it comes, by WebAudio: each piece begins where the one before it ends.

const LEAD_S = 0.04; // before the first sound: enough for the next piece to be there in time

export class Speaker extends EventTarget {
  #context = null;
  #sources = new Set();
  #next = 0;

  // In a press or a key: browsers let a page sound only after one.
  unlock() {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) return null;
    this.#context ??= new Context({ latencyHint: "interactive" });
    if (this.#context.state !== "running") this.#context.resume().catch(() => {});
    return this.#context;
  }

  get playing() {
    return this.#sources.size > 0;
  }

  // Mono 16-bit little-endian PCM as base64, of either alphabet (RFC 4648 sections 4 and 5).
  play(base64, rate) {
    const context = this.unlock();
    const samples = decoded(base64);
    if (!context || samples.length === 0 || !(rate >= 8000 && rate <= 96000)) return;
    const buffer = context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    const began = !this.playing;
    this.#next = Math.max(this.#next, context.currentTime + LEAD_S);
    source.start(this.#next);
    this.#next += buffer.duration;
    this.#sources.add(source);
    source.addEventListener("ended", () => this.#over(source));
    if (began) this.dispatchEvent(new Event("change"));
  }

  stop() {
    if (!this.playing) return;
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#next = 0;
    this.dispatchEvent(new Event("change"));
  }

  #over(source) {
    if (this.#sources.delete(source) && !this.playing) {
      this.#next = 0;
      this.dispatchEvent(new Event("change"));
    }
  }
}

function decoded(base64) {
  const raw = atob(base64.replaceAll("-", "+").replaceAll("_", "/"));
  const samples = new Float32Array(raw.length >> 1);
  for (let at = 0; at < samples.length; at += 1) {
    const value = raw.charCodeAt(2 * at) | (raw.charCodeAt(2 * at + 1) << 8);
    samples[at] = (value > 32767 ? value - 65536 : value) / 32768;
  }
  return samples;
}
