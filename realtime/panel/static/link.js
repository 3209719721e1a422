// The live socket: it tells what comes, sends what is asked for, and comes back by itself when the daemon does.

const VERSION = 1;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 3000;

export class Link extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.waitMs = FIRST_WAIT_MS;
    this.number = 0;
    this.asked = new Map();
    this.offsetS = null;
    this.isOpen = false;
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.waitMs = FIRST_WAIT_MS;
      this.offsetS = null;
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      this.isOpen = false;
      for (const answer of this.asked.values()) answer({ type: "refused", reason: "the connection was lost" });
      this.asked.clear();
      this.dispatchEvent(new CustomEvent("away"));
      setTimeout(() => this.open(), this.waitMs);
      this.waitMs = Math.min(this.waitMs * 1.6, LONGEST_WAIT_MS);
    };
  }

  // The daemon's clock in seconds, as well as it can be known here: the quickest message tells the most.
  nowS() {
    return this.offsetS === null ? 0 : performance.now() / 1000 - this.offsetS;
  }

  // Ask for something; the promise gives the answer, done or refused.
  ask(command, fields = {}) {
    if (!this.isOpen) return Promise.resolve({ type: "refused", reason: "pianod is not there" });
    const id = ++this.number;
    return new Promise((answer) => {
      this.asked.set(id, answer);
      this.send({ version: VERSION, id, command, ...fields });
    });
  }

  // Play MIDI messages: nothing is answered unless they are refused.
  play(...messages) {
    if (!this.isOpen) return;
    const midi = messages.map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    this.send({ version: VERSION, id: ++this.number, command: "play", midi });
  }

  send(request) {
    this.socket.send(JSON.stringify(request));
  }

  take(message) {
    const nowS = message.now_s ?? message.at_s;
    if (nowS !== undefined) {
      const sample = performance.now() / 1000 - nowS;
      this.offsetS = this.offsetS === null ? sample : Math.min(this.offsetS + 0.00005, sample);
    }
    if (message.type === "hello") this.isOpen = true;
    if (message.type === "done" || message.type === "refused") {
      this.asked.get(message.id)?.(message);
      this.asked.delete(message.id);
    }
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }
}
