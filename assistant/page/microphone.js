// The microphone of this device: one recording, its level, and why there is none.

const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class NoMicrophone extends Error {
  constructor(message, mend) {
    super(message);
    this.mend = mend;
  }
}

export class Microphone {
  #stream = null;
  #recorder = null;
  #analyser = null;
  #source = null;
  #samples = null;

  get open() {
    return this.#stream !== null;
  }

  // Raises NoMicrophone. `context`: the AudioContext that measures the level.
  async start(context) {
    if (this.open) return;
    this.#stream = await stream();
    this.#source = context.createMediaStreamSource(this.#stream);
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 2048;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source.connect(this.#analyser);
  }

  // From here on; a recording that is under way is thrown away.
  record() {
    this.drop();
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(this.#stream, { mimeType, audioBitsPerSecond: 32_000 });
    const pieces = [];
    recorder.addEventListener("dataavailable", ({ data }) => data.size && pieces.push(data));
    recorder.clip = new Promise((resolve) => {
      recorder.addEventListener("stop", () => resolve(new Blob(pieces, { type: recorder.mimeType || mimeType })));
    });
    recorder.start();
    this.#recorder = recorder;
  }

  // The clip since record().
  async take() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (!recorder) return null;
    if (recorder.state !== "inactive") recorder.stop();
    return recorder.clip;
  }

  drop() {
    if (this.#recorder && this.#recorder.state !== "inactive") this.#recorder.stop();
    this.#recorder = null;
  }

  // Root mean square of the last 40 ms, full scale 1.
  level() {
    if (!this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return Math.sqrt(sum / this.#samples.length);
  }

  // The browser's sign that it listens goes out.
  close() {
    this.drop();
    this.#source?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.#source = this.#analyser = null;
  }
}

async function stream() {
  if (!window.isSecureContext) {
    throw new NoMicrophone(
      `Browsers give the microphone only to pages over https, and this one came from ${location.origin}.`,
      "Open it over https (Tailscale Serve or Caddy in front of Jarvis), or as http://localhost on the server itself. Typing works here, too.",
    );
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
    throw new NoMicrophone("This browser cannot record.", "Take a newer one, or type.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") {
      throw new NoMicrophone(
        "The microphone is not allowed for this page.",
        "Allow it in the browser: the sign beside the address, then Microphone. Then press again.",
      );
    }
    if (error.name === "NotFoundError") throw new NoMicrophone("This device has no microphone.", "Plug one in, or type.");
    throw new NoMicrophone(`The microphone cannot be opened (${error.name}).`, "Another program may be using it.");
  }
}
