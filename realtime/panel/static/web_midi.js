// MIDI keyboards of this browser, where it has Web MIDI: their keys, pedals and controllers are played as the page's own.

const SUSTAIN = 64;

export class WebMidi extends EventTarget {
  static get isThere() {
    return "requestMIDIAccess" in navigator;
  }

  async setOn(on) {
    this.isOn = on;
    if (on) this.access ??= await navigator.requestMIDIAccess({ sysex: false });
    if (!this.access) return 0;
    this.access.onstatechange = () => this.listen();
    return this.listen();
  }

  listen() {
    let count = 0;
    for (const input of this.access.inputs.values()) {
      input.onmidimessage = this.isOn ? (event) => this.take(event.data) : null;
      count++;
    }
    return count;
  }

  take([status, first, second]) {
    const kind = status & 0xf0;
    if (kind === 0x90 && second > 0) this.tell("on", { pitch: first, velocity: second });
    else if (kind === 0x90 || kind === 0x80) this.tell("off", { pitch: first });
    else if (kind === 0xb0 && first === SUSTAIN) this.tell("pedal", { down: second >= 64 });
    else if (kind === 0xb0) this.tell("controller", { controller: first, value: second });
  }

  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
