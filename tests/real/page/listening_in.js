// Before the page's own scripts: what WebAudio is given to play, as it is given, and how much of it was stopped.
window.heard = [];
window.stopped = 0;
{
  const { start, stop } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.heard.push({ rate: this.buffer.sampleRate, samples: Array.from(this.buffer.getChannelData(0)) });
    return start.apply(this, when);
  };
  AudioBufferSourceNode.prototype.stop = function (...when) {
    window.stopped += 1;
    return stop.apply(this, when);
  };
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  window.streams = [];
  if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.streams.push(stream);
    return stream;
  };
}
