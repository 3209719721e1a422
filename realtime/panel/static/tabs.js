// Tabs: one of several panels is shown. Arrow keys go from tab to tab, as a keyboard's user expects.

export class Tabs {
  constructor(list) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.show(tab));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = this.tabs.findIndex((tab) => tab.ariaSelected === "true");
      const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
      this.show(next);
      next.focus();
    });
  }

  show(chosen) {
    for (const tab of this.tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  }
}
