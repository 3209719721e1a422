// What this browser remembers of the page, where it may: some forbid it, and then nothing is remembered.

const PREFIX = "pianod-";

export function recall(name, otherwise = null) {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // it is forgotten with the page
  }
}
