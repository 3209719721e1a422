"""The roll in a real browser: each note is where it belongs in its colour, and an hour of music costs nothing."""

from typing import Any

import pytest

from tests.realtime.panel.browser import Page

COLOUR_OF = """
(async () => {
  const { canvas } = app.roll;
  app.roll.draw();
  const { x, y, width, height } = app.roll.box(%s, app.roll.left);
  const g = canvas.getContext("2d");
  const [red, green, blue] = g.getImageData(Math.round(x + width / 2), Math.floor(y + height / 2), 1, 1).data;
  return red > blue + 40 ? "amber" : blue > red + 20 ? "blue" : `neither: ${[red, green, blue]}`;
})()
"""
"""What is seen where the roll has a note that lasts until a moment."""

STILL = "(app.roll.clock = () => %s)"
"""Time stands still in the roll."""


@pytest.mark.parametrize(("voice", "colour"), [("player", "amber"), ("model", "blue")])
def test_a_note_is_drawn_in_the_colour_of_who_plays_it(page: Page, voice: str, colour: str) -> None:
    page.ask("app.music.clear()")
    page.ask(STILL % 1000)
    page.ask(f"app.music.take(['{voice}', 'on', 998, 60, 90])")
    note = f"app.music.{voice}.notes.at(-1)"
    assert page.ask(COLOUR_OF % f"{note}, 1000") == colour, "while it sounds"
    page.ask(f"app.music.take(['{voice}', 'off', 999, 60, 0])")
    assert page.ask(COLOUR_OF % f"{note}, 999") == colour, "once it has ended"
    page.ask(STILL % 1004)
    assert page.ask(COLOUR_OF % f"{note}, 999") == colour, "and when it has moved on"
    page.ask(f"(app.music.{voice}.isHidden = true)")
    assert page.ask(COLOUR_OF % f"{note}, 999").startswith("neither")


def test_what_is_planned_is_outlined_beyond_the_line_until_it_is_taken_back(page: Page) -> None:
    page.ask(STILL % 1000)
    page.ask("app.music.take(['plan', 'on', 1001, 60, 90, 7])")
    page.ask("app.music.take(['plan', 'off', 1001.5, 60, 0, 7])")
    planned = "app.music.ahead(1000)[0], 1001.5"
    page.ask("app.roll.draw()")
    assert page.ask("app.roll.ghosts") == 1
    edge = page.ask(
        f"(() => {{ const box = app.roll.box({planned}, app.roll.left);"
        " const { data } = app.roll.canvas.getContext('2d')"
        ".getImageData(Math.round(box.x + box.width / 2), Math.round(box.y) - 1, 1, Math.ceil(box.height) + 2);"
        " return [...data].filter((_, index) => index % 4 === 2); })()"
    )
    assert max(edge[:3]) > 90 > min(edge), f"a bright edge around what is nearly dark: {edge}"
    page.ask("app.music.take(['plan', 'taken back', 1000, 0, 0, 8])")
    page.ask("app.roll.draw()")
    assert page.ask("app.roll.ghosts") == 0


DENSE = 40
"""Notes a second: as many as two pianists strike."""

AN_HOUR = f"""
(() => {{
  app.music.clear();
  for (let index = 0; index < {DENSE} * 3600; index++) {{
    const who = index % 2 ? "player" : "model";
    const at = index / {DENSE};
    const pitch = 22 + ((index * 7) % 86);
    app.music.take([who, "on", at, pitch, 40 + (index % 80)]);
    app.music.take([who, "off", at + 0.4, pitch, 0]);
    if (index % 10 === 0) app.music.take([who, "pedal", at, 0, index % 20 ? 0 : 1]);
  }}
  app.music.take(["player", "on", 1, 21, 60]);
  app.music.take(["model", "on", 1.5, 21, 60]);
  app.music.take(["model", "off", 3599, 21, 0]);
  return app.music.player.notes.length + app.music.model.notes.length;
}})()
"""
"""An hour of it, a key that was held ever since and one that was held as long."""

WORK = """
(() => {
  let most = 0, sum = 0, looked = 0;
  const { player, model } = app.music;
  app.roll.clock = () => %(now)s;
  app.roll.draw();
  const first = app.roll.drawn;
  for (let frame = 1; frame <= 600; frame++) {
    app.roll.clock = () => %(now)s + frame / 60;
    player.looked = model.looked = 0;
    app.roll.draw();
    most = Math.max(most, app.roll.drawn);
    sum += app.roll.drawn;
    looked = Math.max(looked, player.looked + model.looked);
  }
  return { first, most, sum, looked };
})()
"""
"""What 10 s of frames draw, and look at."""


def test_an_hour_of_music_costs_a_frame_no_more_than_what_is_new_in_it(page: Page) -> None:
    assert page.ask(AN_HOUR) == DENSE * 3600 + 2
    for seconds, back in ((12, 0), (60, 0), (12, 1800), (60, 600)):
        page.put("#zoom", seconds)
        page.ask(f"(app.roll.backS = {back})")
        work: dict[str, Any] = page.ask(WORK % {"now": 3600})
        events = DENSE * 1.1 + 3  # a second: notes, pedals and what is held
        kept_s = 1.25 * seconds + 1
        assert 0 < work["first"] <= kept_s * events, "at first what is seen is drawn, and a little more"
        assert work["sum"] <= 600 * 1 + (10 + 0.25 * seconds + 1) * events, "then what comes into view, and what sounds"
        assert work["most"] <= (0.25 * seconds + 1) * events + 1, "at most a quarter of a view at once"
        assert work["looked"] <= (0.25 * seconds + 2 * 8 + 1) * events, "and hardly more is looked at"


def test_what_was_drawn_before_is_what_would_be_drawn_anew(page: Page) -> None:
    page.ask(AN_HOUR)
    differing = page.ask(
        "(() => { const picture = () => app.roll.canvas.getContext('2d')"
        ".getImageData(0, 0, app.roll.canvas.width, app.roll.canvas.height).data;"
        " app.roll.seconds = 12; app.roll.backS = 100;"
        " for (const now of [2000, 2001, 2004, 2007, 2020, 2019, 2014, 2011]) {"
        "   app.roll.clock = () => now; app.roll.draw(); }"
        " const moved = picture(); app.roll.strip.shape = ''; app.roll.draw(); const anew = picture();"
        " let most = 0; for (let i = 0; i < anew.length; i++) most = Math.max(most, Math.abs(anew[i] - moved[i]));"
        " return most; })()"
    )
    assert differing <= 60, "but for the order of what overlaps, and the soft edges where two pieces meet"
