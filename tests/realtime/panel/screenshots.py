"""Renew the pictures of the panel in the docs, with the embedded model, in a real Chromium; on a machine at rest.

python -m tests.realtime.panel.screenshots
"""

import shutil
import tempfile
from pathlib import Path

import realtime.cli.demo_phrases
from tests.realtime.panel.browser import Page, start_chromium
from tests.realtime.panel.daemon import Daemon

DOCS = Path(__file__).parents[3] / "docs"

PHRASE = """
(async () => {
  const wait = (ms) => new Promise((next) => setTimeout(next, ms));
  const { link } = app;
  const basses = { 0: [48, 55], 4: [43, 50, 59] };
  const melody = [[64, 62], [67, 70], [72, 84], [76, 92], [74, 88], [71, 70], [67, 64], [74, 80], [72, 76], [67, 60]];
  for (const [index, [pitch, velocity]] of melody.entries()) {
    for (const bass of basses[index] ?? []) link.play([0x90, bass, 50]);
    if (index % 4 === 0) link.play([0xb0, 64, 127]);
    link.play([0x90, pitch, velocity]);
    await wait(260);
    link.play([0x80, pitch, 64]);
    if (index === 3 || index === 9) {
      link.play([0xb0, 64, 0]);
      for (const bass of Object.values(basses).flat()) link.play([0x80, bass, 64]);
    }
    await wait(20);
  }
})()
"""


def main() -> None:
    """Play, and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(Path(realtime.cli.demo_phrases.__file__).parent, folder / "set")
        daemon = Daemon(folder, 0, "--review", "set")
        driver = start_chromium(str(folder / "profile"))
        try:
            page = Page(driver, daemon.address)
            page.ask(PHRASE)
            page.until("app.music.model.notes.length > 12 && app.roll.ghosts > 2")
            driver.save_screenshot(str(DOCS / "panel.png"))
            page.change({"mode": "duet"})
            page.click("#tab-health")
            page.ask(PHRASE)
            page.ask(PHRASE)
            driver.save_screenshot(str(DOCS / "panel-duet.png"))
            page.ask("app.link.ask('panic')")
            page.click("#tab-pieces")
            page.put("#review-task", "right_hand")
            page.click("#review-look")
            page.until("app.viewer.isOpen")
            driver.save_screenshot(str(DOCS / "panel-piece.png"))
        finally:
            driver.quit()
            daemon.end()


if __name__ == "__main__":
    main()
