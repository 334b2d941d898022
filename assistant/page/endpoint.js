// When somebody began to speak and when they have ended, from the level alone. The server looks once more, and closely.

export const TICK_MS = 50;
const ONSET_MS = 100;
const END_MS = 900; // a breath in the middle of a sentence is shorter
const QUIETEST = 0.008; // full scale 1; a quiet room through automatic gain is below it
const ABOVE_FLOOR = 3;
const RISE = 0.01; // of the way per tick: noise that stays becomes the floor within seconds
const OVER_PLAYBACK = 3; // while the loudspeaker plays, what is left of it after echo cancellation is no speech

export class Endpoint {
  constructor() {
    this.floor = QUIETEST;
    this.reset();
  }

  reset() {
    this.loud = 0;
    this.quiet = 0;
    this.waited = 0;
    this.spoken = false;
  }

  // One tick: "waiting", "began", "speaking" or "ended".
  hear(level, { playing = false } = {}) {
    const threshold = Math.max(QUIETEST, this.floor * ABOVE_FLOOR) * (playing ? OVER_PLAYBACK : 1);
    const isLoud = level > threshold;
    if (!this.spoken) this.floor += (level - this.floor) * (level < this.floor ? 0.3 : RISE);
    this.loud = isLoud ? this.loud + TICK_MS : 0;
    this.quiet = isLoud ? 0 : this.quiet + TICK_MS;
    if (!this.spoken) {
      this.waited += TICK_MS;
      const enough = playing ? ONSET_MS * 3 : ONSET_MS;
      if (this.loud < enough) return "waiting";
      this.spoken = true;
      return "began";
    }
    return this.quiet >= END_MS ? "ended" : "speaking";
  }
}
