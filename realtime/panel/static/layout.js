// The 88 keys: which are black, and where they lie.

export const LOWEST = 21;
export const HIGHEST = 108;
const BLACK = new Set([1, 3, 6, 8, 10]);
const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export const isBlack = (pitch) => BLACK.has(pitch % 12);
export const nameOf = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

const WHITE_KEYS = 52;
const NARROWEST = 13; // pixels of a white key, below which only some octaves are shown
const FOR_A_FINGER = 26;

// Which keys have room in a width, as [lowest, highest]: all, or whole octaves about the one that begins at a C.
export function rangeOf(width, middle) {
  if (width / WHITE_KEYS >= NARROWEST) return [LOWEST, HIGHEST];
  const octaves = Math.max(Math.floor(width / FOR_A_FINGER / 7), 1);
  const lowest = Math.min(Math.max(middle - 12 * Math.floor((octaves - 1) / 2), 24), 108 - 12 * octaves);
  return [lowest, lowest + 12 * octaves - 1];
}

// Keys of a keyboard of a given width: {pitch, x, width, black}, white ones first. Both ends are white keys.
export function keysOf(width, [lowest, highest]) {
  const pitches = Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);
  const white = pitches.filter((pitch) => !isBlack(pitch));
  const step = width / white.length;
  const keys = white.map((pitch, index) => ({ pitch, x: index * step, width: step, black: false }));
  const place = new Map(keys.map((key) => [key.pitch, key.x]));
  for (const pitch of pitches.filter(isBlack)) {
    keys.push({ pitch, x: place.get(pitch + 1) - step * 0.3, width: step * 0.6, black: true });
  }
  return keys;
}

// Make a canvas as fine as the screen; returns its size in CSS pixels.
export function fit(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  const changed = canvas.width !== wide || canvas.height !== high;
  if (changed) {
    canvas.width = wide;
    canvas.height = high;
  }
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  return { width, height, changed };
}

export const COLOURS = { player: [240, 180, 92], model: [103, 183, 230] };

// Velocity as shade: soft notes are dim, loud ones bright.
export const SHADES = Object.fromEntries(
  Object.entries(COLOURS).map(([who, rgb]) => [
    who,
    Array.from({ length: 128 }, (_, velocity) => {
      const light = 0.38 + 0.62 * (velocity / 127) ** 0.9;
      return `rgb(${rgb.map((part) => Math.round(part * light)).join(" ")})`;
    }),
  ]),
);
