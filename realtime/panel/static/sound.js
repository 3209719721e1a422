// A piano in Web Audio: each note is a sum of slightly stretched partials that decay, made once per zone of the
// keyboard and then played at the pitch and loudness asked for. Dampers fall on release, unless the pedal holds them.

const ZONE = 3; // keys that share a recording
const HIGHEST_PARTIAL = 24;
const FASTEST_RELEASE_S = 0.06;
const MOST_VOICES = 64;

export class Sound {
  constructor() {
    this.context = null;
    this.zones = new Map();
    this.voices = new Map(); // who + pitch -> voice
    this.held = { here: new Set(), model: new Set() }; // voices that only the pedal holds
    this.pedals = { here: false, model: false };
    this.isOn = false;
    this.volume = 0.8;
    this.struck = 0;
    this.clicks = 0;
  }

  // To be called from a gesture of the player's: only then may a page sound.
  wake() {
    if (!this.isOn) return;
    if (!this.context) this.build();
    if (this.context.state === "suspended") this.context.resume();
  }

  build() {
    this.context = new AudioContext({ latencyHint: "interactive" });
    const limiter = new DynamicsCompressorNode(this.context, { threshold: -14, ratio: 5, attack: 0.004, release: 0.2 });
    this.master = new GainNode(this.context, { gain: this.volume });
    const room = new ConvolverNode(this.context, { buffer: roomOf(this.context) });
    const wet = new GainNode(this.context, { gain: 0.16 });
    this.master.connect(limiter);
    this.master.connect(room).connect(wet).connect(limiter);
    limiter.connect(this.context.destination);
    const zones = Array.from({ length: 30 }, (_, index) => 21 + ZONE * index + 1);
    zones.sort((first, second) => Math.abs(first - 60) - Math.abs(second - 60));
    const next = () => {
      const pitch = zones.shift();
      if (pitch === undefined) return;
      this.zoneOf(pitch);
      setTimeout(next, 30);
    };
    setTimeout(next, 200);
  }

  setOn(on) {
    this.isOn = on;
    if (!on) this.silence();
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.context) this.master.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  zoneOf(pitch) {
    const centre = 22 + ZONE * Math.min(Math.max(Math.round((pitch - 22) / ZONE), 0), 28);
    if (!this.zones.has(centre)) this.zones.set(centre, recordingOf(this.context, centre));
    return { centre, buffer: this.zones.get(centre) };
  }

  on(who, pitch, velocity, delayS = 0) {
    if (!this.isOn || !this.context) return;
    this.struck++;
    const at = this.context.currentTime + delayS;
    this.end(who, pitch, at, 0.05);
    if (this.voices.size >= MOST_VOICES) this.endOldest(at);
    const { centre, buffer } = this.zoneOf(pitch);
    const force = velocity / 127;
    const source = new AudioBufferSourceNode(this.context, { buffer, playbackRate: 2 ** ((pitch - centre) / 12) });
    const bright = Math.min(420 + 9500 * force ** 1.7 + 12 * 440 * 2 ** ((pitch - 69) / 12) * force, 16000);
    const tone = new BiquadFilterNode(this.context, { type: "lowpass", frequency: bright, Q: 0.2 });
    const gain = new GainNode(this.context, { gain: 0.05 + 0.75 * force ** 1.8 });
    const side = new StereoPannerNode(this.context, { pan: (pitch - 64) / 110 });
    source.connect(tone).connect(gain).connect(side).connect(this.master);
    source.start(at);
    const voice = { source, gain, pitch };
    const key = `${who} ${pitch}`;
    source.onended = () => {
      if (this.voices.get(key) === voice) this.voices.delete(key);
    };
    this.voices.set(key, voice);
    this.held[who].delete(pitch);
  }

  // The metronome: a short tick, higher on the first beat of a bar. It sounds where the piano does, and is no note.
  click(isStressed, delayS) {
    if (!this.isOn || !this.context) return;
    this.clicks++;
    const at = this.context.currentTime + Math.max(delayS, 0);
    const tone = new OscillatorNode(this.context, { type: "triangle", frequency: isStressed ? 1760 : 1175 });
    const gain = new GainNode(this.context, { gain: isStressed ? 0.5 : 0.3 });
    gain.gain.setTargetAtTime(0, at + 0.005, 0.012);
    tone.connect(gain).connect(this.master);
    tone.start(at);
    tone.stop(at + 0.12);
  }

  off(who, pitch, delayS = 0) {
    if (!this.context) return;
    if (this.pedals[who]) this.held[who].add(pitch);
    else this.end(who, pitch, this.context.currentTime + delayS, pitch > 88 ? 0.5 : 0.09 + (88 - pitch) * 0.001);
  }

  pedal(who, down, delayS = 0) {
    this.pedals[who] = down;
    if (down || !this.context) return;
    for (const pitch of this.held[who]) this.end(who, pitch, this.context.currentTime + delayS, 0.14);
    this.held[who].clear();
  }

  end(who, pitch, at, releaseS) {
    const key = `${who} ${pitch}`;
    const voice = this.voices.get(key);
    if (!voice) return;
    this.voices.delete(key);
    const timeConstant = Math.max(releaseS, FASTEST_RELEASE_S) / 2;
    voice.gain.gain.setTargetAtTime(0, at, timeConstant);
    voice.source.stop(at + timeConstant * 8);
  }

  endOldest(at) {
    const [who, pitch] = this.voices.keys().next().value.split(" ");
    this.end(who, Number(pitch), at, 0.05);
  }

  silence() {
    this.pedals = { here: false, model: false };
    for (const held of Object.values(this.held)) held.clear();
    if (!this.context) return;
    for (const key of [...this.voices.keys()]) {
      const [who, pitch] = key.split(" ");
      this.end(who, Number(pitch), this.context.currentTime, 0.05);
    }
  }
}

// One struck string group: partials stretched by the stiffness of the wire, the high ones dying sooner, two strings a
// little apart for the beating, and the knock of the hammer.
function recordingOf(context, pitch) {
  const rate = context.sampleRate;
  const fundamental = 440 * 2 ** ((pitch - 69) / 12);
  const lengthS = Math.min(Math.max(9 - (pitch - 21) * 0.085, 1.6), 9);
  const samples = new Float32Array(Math.ceil(lengthS * rate));
  const stiffness = 0.00012 * 2 ** ((pitch - 48) / 18);
  for (let partial = 1; partial <= HIGHEST_PARTIAL; partial++) {
    const frequency = partial * fundamental * Math.sqrt(1 + stiffness * partial * partial);
    if (frequency > Math.min(rate * 0.42, 14000)) break;
    const struckAt = Math.abs(Math.sin((Math.PI * partial) / 8.3)) + 0.08;
    const level = (struckAt / partial ** (0.85 + (pitch - 21) * 0.009)) * 0.5;
    const decayS = (lengthS * 0.42) / (1 + 0.16 * (partial - 1));
    addPartial(samples, rate, frequency, level * 0.62, decayS * 0.45, partial);
    addPartial(samples, rate, frequency * 1.0004 + 0.11, level * 0.38, decayS, partial + 0.5);
  }
  addKnock(samples, rate);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9);
  const attack = Math.round(rate * 0.0015);
  for (let index = 0; index < samples.length; index++) {
    const left = (samples.length - index) / (rate * 0.2);
    samples[index] *= (0.5 / peak) * Math.min(index / attack, 1) * Math.min(left, 1);
  }
  return fill(context, samples);
}

// A decaying sine by recurrence: y[n] = 2 r cos(w) y[n-1] - r² y[n-2].
function addPartial(samples, rate, frequency, level, decayS, phase) {
  const angle = (2 * Math.PI * frequency) / rate;
  const shrink = Math.exp(-1 / (decayS * rate));
  const feed = 2 * shrink * Math.cos(angle);
  const back = -shrink * shrink;
  let before = level * Math.sin(phase - angle) / shrink;
  let now = level * Math.sin(phase);
  const end = Math.min(samples.length, Math.ceil(decayS * 7 * rate));
  for (let index = 0; index < end; index++) {
    samples[index] += now;
    const next = feed * now + back * before;
    before = now;
    now = next;
  }
}

function addKnock(samples, rate) {
  let smooth = 0;
  const length = Math.round(rate * 0.05);
  for (let index = 0; index < length; index++) {
    smooth += 0.12 * (Math.random() * 2 - 1 - smooth);
    samples[index] += 0.35 * smooth * Math.exp(-index / (rate * 0.008));
  }
}

function fill(context, samples) {
  const buffer = context.createBuffer(1, samples.length, context.sampleRate);
  buffer.copyToChannel(samples, 0);
  return buffer;
}

// A small hall: noise that dies away.
function roomOf(context) {
  const length = Math.round(context.sampleRate * 1.4);
  const buffer = context.createBuffer(2, length, context.sampleRate);
  for (let channel = 0; channel < 2; channel++) {
    const samples = buffer.getChannelData(channel);
    let smooth = 0;
    for (let index = 0; index < length; index++) {
      smooth += 0.35 * (Math.random() * 2 - 1 - smooth);
      samples[index] = smooth * Math.exp((-5.5 * index) / length);
    }
  }
  return buffer;
}
