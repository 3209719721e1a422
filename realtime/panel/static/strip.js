// What has ended, drawn once on a canvas of its own and from then on only shifted: a frame costs what is new in it,
// however much is seen and however much lies behind. Places are device pixels, counted from second 0.

const SPARE = 0.25; // of the width that is seen: so much more is kept, so that it is seldom shifted
const SEAM = 8; // how far a note may reach beyond its seconds, since even the shortest has a width

export class Strip {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.other = document.createElement("canvas");
    this.shape = "";
    this.left = 0;
    this.painted = 0; // notes and pedals in the last update
  }

  // Show what has ended between two places on; `layout` is {width, height, scale} and `paint` a painter of the roll.
  update(voices, layout, left, paint) {
    const wide = Math.ceil(layout.width * (1 + SPARE));
    const shape = JSON.stringify([layout, voices.map(({ isHidden }) => isHidden)]);
    const isSame = shape === this.shape && voices.every((voice, index) => voice === this.voices[index]);
    Object.assign(this, { voices, layout, wide, shape, paint, painted: 0 });
    if (!isSame || Math.abs(left - this.left) >= wide) this.begin(left);
    else {
      this.addEnded();
      if (left < this.left) this.shift(left + layout.width - wide);
      else if (left + layout.width > this.left + wide) this.shift(left);
    }
  }

  begin(left) {
    for (const canvas of [this.canvas, this.other]) Object.assign(canvas, { width: this.wide, height: this.layout.height });
    this.left = left;
    this.known = this.voices.map((voice) => voice.ended.length);
    this.fill(left, left + this.wide);
  }

  // Move what is there, and draw what comes into view.
  shift(left) {
    const before = this.left;
    [this.canvas, this.other] = [this.other, this.canvas];
    const g = this.canvas.getContext("2d");
    g.clearRect(0, 0, this.wide, this.layout.height);
    g.drawImage(this.other, before - left, 0);
    this.left = left;
    if (left > before) this.fill(before + this.wide, left + this.wide);
    else this.fill(left, before);
  }

  fill(from, to) {
    const g = this.canvas.getContext("2d");
    const { scale } = this.layout;
    g.save();
    g.beginPath();
    g.rect(from - this.left, 0, to - from, this.layout.height);
    g.clip();
    for (const voice of this.voices) {
      for (const note of voice.between((from - SEAM) / scale, (to + SEAM) / scale)) this.add(g, voice, note);
      for (const span of voice.pedalsBetween((from - SEAM) / scale, (to + SEAM) / scale)) this.addPedal(g, voice, span);
    }
    g.restore();
  }

  addEnded() {
    const g = this.canvas.getContext("2d");
    this.voices.forEach((voice, index) => {
      for (; this.known[index] < voice.ended.length; this.known[index]++) {
        const item = voice.ended[this.known[index]];
        const { scale } = this.layout;
        if (voice.isHidden || item.end * scale < this.left - SEAM || item.start * scale > this.left + this.wide) continue;
        if (item.pitch === undefined) this.addPedal(g, voice, item);
        else this.add(g, voice, item);
      }
    });
  }

  add(g, voice, note) {
    if (note.end === Infinity) return;
    this.paint.note(g, voice, note, note.end, this.left);
    this.painted++;
  }

  addPedal(g, voice, span) {
    if (span.end === Infinity) return;
    this.paint.pedal(g, voice, span, span.end, this.left);
    this.painted++;
  }
}
