"""Bars and changes in a real browser: where one is, in which key, as chords or as steps; whose bars these are."""

from typing import Any

from tests.realtime.panel.browser import Page

CELLS = "[...app.time.parts.chart.children].map((cell) => cell.textContent)"
NOW = "[...app.time.parts.chart.children].findIndex((cell) => cell.hasAttribute('data-now'))"
AT_BEAT = "(app.time.clock = () => app.time.grid.origin + %s * app.time.grid.period, app.time.turn())"


def test_the_changes_are_shown_with_the_place_where_one_is_and_played_in_any_key_by_one_click(page: Page) -> None:
    page.change({"chart": "ii-V-I", "chart_key": "C", "tempo_bpm": 120.0})
    page.until(f"{CELLS}.join() === 'Dm7,G7,Cmaj7,Cmaj7'")
    for beat, bar in ((0.5, 0), (3.9, 0), (4.1, 1), (8.5, 2), (16.1, 0), (23.0, 1)):
        page.ask(AT_BEAT % beat)
        assert page.ask(NOW) == bar
        assert page.ask("app.time.parts.beat.textContent").startswith(f"bar {int(beat // 4) + 1}, beat")
    page.find("#chart-keys button:nth-child(12)").click()  # Bb, after the steps and C to A
    page.until(f"{CELLS}.join() === 'Cm7,F7,Bbmaj7,Bbmaj7'")
    assert page.ask("app.status().settings.chart_key") == "Bb"
    assert page.find("#chart-keys [aria-pressed=true]").text == "Bb"


def test_a_lead_sheet_that_is_dropped_is_the_changes_from_then_on(page: Page) -> None:
    page.driver.execute_script(
        "const dataTransfer = new DataTransfer();"
        " dataTransfer.items.add(new File(['Dm7 | G7 | Cmaj7 | %'], 'two five.txt'));"
        " window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));"
    )
    page.until("app.job.parts.dialog.open")
    assert page.ask("[...document.querySelectorAll('#job-tasks input')].map((input) => input.value)") == ["changes"]
    page.click("#job-start")
    page.until(f"{CELLS}.join() === 'Dm7,G7,Cmaj7,Cmaj7'")
    assert page.ask("document.getElementById('notice').textContent").startswith("pianod plays over the changes of two")


def test_steps_by_one_click_and_chords_that_were_typed_move_too(page: Page) -> None:
    page.change({"chart": "Fmaj7 | Gm7 C7 | Am7b5 | Fmaj7", "chart_key": "C"})
    page.until(f"{CELLS}.join() === 'Fmaj7,Gm7 C7,Am7b5,Fmaj7'")
    page.click("#chart-keys button:first-child")
    assert page.ask(CELLS) == ["Imaj7", "ii7 V7", "iii7b5", "Imaj7"]
    page.find("#chart-keys button:nth-child(2)").click()  # C
    page.until("app.status().settings.chart === 'Imaj7 | ii7 V7 | iii7b5 | Imaj7'")
    page.click("#chart-keys button:first-child")
    page.until(f"{CELLS}.join() === 'Cmaj7,Dm7 G7,Em7b5,Cmaj7'")


def test_the_chord_that_the_left_hand_holds_is_shown(page: Page) -> None:
    page.change({"chord_split": 60})
    page.until(f"{CELLS}.join() === 'hold a chord'")
    for key in (48, 51, 55, 58):
        page.ask(f"app.link.play([0x90, {key}, 60])")
    page.until(f"{CELLS}.join() === 'Cm7'")
    for key in (48, 51, 55, 58):
        page.ask(f"app.link.play([0x80, {key}, 60])")
    page.change({"chord_split": None})
    page.until("app.time.parts.chart.hidden")


def test_whose_bars_these_are_is_shown_and_beats_are_lines_on_the_roll(page: Page) -> None:
    page.change({"answer": "bars", "bars": 4, "tempo_bpm": 120.0, "beats": 4})
    page.until("app.time.parts.trade.textContent.startsWith('trading 4')")
    for message in ("[0x90, 60, 60]", "[0x80, 60, 60]"):
        page.ask(f"app.link.play({message})")
    page.until("/^(you|pianod)/.test(app.time.parts.trade.textContent)")
    page.until("app.time.parts.trade.textContent.startsWith('pianod')")
    grid: dict[str, Any] = page.ask("app.roll.grid")
    assert (grid["period"], grid["beats"]) == (0.5, 4)
    page.ask("app.link.ask('stop')")
    page.until("app.time.parts.trade.textContent.startsWith('trading 4')")
