// Where the focus goes when what had it closes or vanishes, and what Escape does.

// Whether the focus is inside an element that is about to go, or nowhere.
export function isAt(element) {
  return element.contains(document.activeElement) || document.activeElement === document.body;
}

// Give the focus to the first of some elements that can take it.
export function focusOn(...elements) {
  for (const element of elements) {
    if (!element?.isConnected || element === document.body || !element.checkVisibility()) continue;
    element.focus();
    if (document.activeElement === element) return;
  }
}

// Escape closes what is open, one thing at a time, and silences everything where nothing is.
// `open` are {isOpen, close()}, the foremost first.
export function escape(open, silence) {
  const foremost = open.find((each) => each.isOpen);
  return foremost ? foremost.close() : silence();
}
