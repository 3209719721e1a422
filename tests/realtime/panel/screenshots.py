"""Renew the pictures of the panel in the docs, with the embedded model, in a real Chromium; on a machine at rest.

python -m tests.realtime.panel.screenshots
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image

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


SIZES = ((1280, 800), (768, 1024), (390, 844))
COLOURS = 256
"""Of a picture in the docs: enough for the page, and a third of the bytes."""


def keep(page: Page, name: str) -> None:
    """Write what is seen among the docs."""
    picture = Image.open(io.BytesIO(page.driver.get_screenshot_as_png())).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        DOCS / f"{name}.png", optimize=True
    )


def play(page: Page) -> None:
    """Play, and wait until it is answered."""
    before = page.ask("app.music.model.notes.length")
    page.ask(PHRASE)
    page.until(f"app.music.model.notes.length > {before} + 4")


def main() -> None:
    """Play, and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(Path(realtime.cli.demo_phrases.__file__).parent, folder / "set")
        daemon = Daemon(folder, 0, "--review", "set")
        driver = start_chromium(str(folder / "profile"))
        try:
            page = Page(driver, daemon.address)
            for face in ("play", "studio"):
                page.face(face)
                for width, height in SIZES:
                    page.resize(width, height)
                    play(page)
                    keep(page, f"panel-{face}-{width}")
            page.resize(*SIZES[0])
            page.face("play")
            page.click("#connect")
            keep(page, "panel-guide")
            page.ask("app.guide.close()")
            page.face("studio")
            page.change({"mode": "duet"})
            page.click("#tab-health")
            page.ask(PHRASE)
            page.ask(PHRASE)
            keep(page, "panel-duet")
            page.ask("app.link.ask('panic')")
            page.click("#tab-pieces")
            page.put("#review-task", "right_hand")
            page.click("#review-look")
            page.until("app.viewer.isOpen")
            keep(page, "panel-piece")
        finally:
            driver.quit()
            daemon.end()


if __name__ == "__main__":
    main()
