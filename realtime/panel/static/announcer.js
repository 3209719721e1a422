// What is said: shown where one looks, and spoken once by the page's only live region. What was shown goes away.

const SHOWN_MS = 15_000;

export class Announcer {
  // `region` is spoken by screen readers, `notice` is seen: {box, text, close}.
  constructor(region, notice) {
    Object.assign(this, { region, notice });
    this.count = 0; // announcements so far
    notice.close.addEventListener("click", () => this.tell(""));
  }

  // Show something, mostly a fault, and say it; an empty text takes back what is shown.
  tell(text, tone = "fault") {
    clearTimeout(this.timer);
    this.notice.box.dataset.tone = tone;
    this.notice.text.textContent = text;
    this.notice.box.hidden = !text;
    if (!text) return;
    this.say(text);
    this.timer = setTimeout(() => this.tell(""), SHOWN_MS);
  }

  // Say something that is seen elsewhere; the same twice in a row is said twice.
  say(text) {
    this.count++;
    this.region.textContent = this.region.textContent === text ? `${text}\u00a0` : text;
  }
}
