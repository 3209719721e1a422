"""A real Chromium without a screen, and pages of the panel in it. Every wait is for a condition."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from piano.midi.file import read_performance
from piano.notes import Performance
from tests.support.programs import path_of

WITHIN_S = 300
"""How long a wait may last before it is in vain: as long as the busiest of machines could take."""

T = TypeVar("T")

PHONE = 600
"""Pixels of width below which it is a phone."""
MOST_TABS = 400

PHRASE = "asdf"
"""Four white keys from middle C on."""

REBOUND = "rebound.example"
"""A name that the browser takes for this machine, as after DNS rebinding."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    "--window-size=1500,950",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)


def start_chromium(profile: str) -> webdriver.Chrome:
    """Start Chromium with a fresh profile; skip the running test where there is none."""
    options = webdriver.ChromeOptions()
    options.binary_location = path_of("chromium", "google-chrome")
    service = Service(path_of("chromedriver"))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(WITHIN_S)
    driver.set_page_load_timeout(WITHIN_S)
    return driver


class PageError(AssertionError):
    """An expression over the page that has no value."""


class Page:
    """One page of the panel, in a tab of its own, with all that there is."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        driver.switch_to.new_window("tab")
        self.handle = driver.current_window_handle
        driver.get(address)
        self.until("app.link.isOpen && app.status() !== null")
        self.face("studio")
        self.ask("app.guide.close()")

    def face(self, name: str) -> None:
        """Show one of the two faces."""
        self.ask(f"app.faces.show({name!r})")

    def resize(self, width: int, height: int) -> None:
        """Give the page a size in CSS pixels, on a phone if it is narrow."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def reach(self, selector: str) -> WebElement:
        """Go to an element by the Tab key alone; AssertionError where it is not come by."""
        wanted = self.find(selector)
        for _ in range(MOST_TABS):
            if self.driver.switch_to.active_element == wanted:
                return wanted
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
        raise AssertionError(f"{selector} is not reached by the Tab key")

    def show(self) -> None:
        """Bring the tab to the front."""
        self.driver.switch_to.window(self.handle)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression over `app`, the page's own parts; PageError where it has none."""
        value, error = self.driver.execute_async_script(
            "const done = arguments[0];"
            f"import('/static/main.js').then(async ({{ app }}) => done([await ({expression}), null]))"
            ".catch((error) => done([null, String(error)]));"
        )
        if error is not None:
            raise PageError(f"{expression}: {error}")
        return value

    def watch(self) -> None:
        """From now on remember what does not last: rows that come, activities, planned notes, lit keys."""
        self.driver.execute_async_script(
            "const done = arguments[0]; import('/static/main.js').then(({ app }) => {"
            " const seen = (app.seen = { rows: [], activities: [], ghosts: 0, lit: false, progress: 0 });"
            " app.link.addEventListener('events', ({ detail }) => seen.rows.push(...detail.events));"
            " app.link.addEventListener('status', ({ detail }) => seen.activities.push(detail.activity));"
            " const look = () => { seen.ghosts = Math.max(seen.ghosts, app.roll.ghosts);"
            "   seen.lit ||= [...app.keyboard.litKeys().values()].includes('model');"
            "   requestAnimationFrame(look); };"
            " new MutationObserver(() => seen.progress++).observe(document.getElementById('job-progress'),"
            " { attributeFilter: ['hidden'] }); look(); done(); });"
        )

    def play(self, keys: str = PHRASE) -> int:
        """Play with the computer's keys, and wait until all of it was heard; return how many notes there were before.

        A click on the keyboard comes first, which strikes a key too.
        """
        before: int = self.ask("app.music.player.notes.length")
        self.find("#keyboard").click()
        chain = ActionChains(self.driver)
        for key in keys:
            chain.key_down(key).pause(0.05).key_up(key)
        chain.perform()
        self.until(f"app.music.player.notes.length === {before} + 1 + {len(keys)} && !app.music.player.sounding.size")
        return before

    def begin(self, given: Path, task: str, choice: str = "", seconds: int = 20) -> None:
        """Choose a file, and what is to be done with it."""
        self.find("#job-file").send_keys(str(given))
        self.until("app.job.parts.dialog.open")
        self.click(f"#job-tasks input[value={task}]")
        if choice:
            self.put("#job-choice", choice)
        self.put("#job-seconds", seconds)
        self.click("#job-start")

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change settings past the controls, and wait until they are in force."""
        self.ask(f"app.link.ask('change', {{ settings: {json.dumps(settings)} }})")
        self.until(
            f"Object.entries({json.dumps(settings)}).every(([name, value]) => app.status().settings[name] === value)"
        )

    def fetched(self, path: str | None, where: Path) -> Performance:
        """Return what a link of the page leads to, as a performance."""
        data = self.driver.execute_async_script(
            "const [path, done] = arguments; fetch(path).then((answer) => answer.arrayBuffer())"
            ".then((data) => done(Array.from(new Uint8Array(data))))",
            path,
        )
        where.write_bytes(bytes(data))
        return read_performance(where)

    def until(self, expression: str) -> Any:
        """Wait until an expression over `app` is true; return its value. One that has no value is not true yet."""

        def value() -> Any:
            try:
                return self.ask(expression)
            except PageError:
                return False

        return self.wait(value, expression)

    def wait(self, condition: Callable[[], T], what: str) -> T:
        """Wait until a condition is true; return its value."""
        waiting = WebDriverWait(self.driver, WITHIN_S, poll_frequency=0.05)
        return waiting.until(lambda _driver: condition(), f"waited in vain for: {what}")

    def find(self, selector: str) -> WebElement:
        """Return an element."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Click on an element, wherever on the page it is."""
        element = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def put(self, selector: str, value: object) -> None:
        """Set a control to a value as a hand does: an input and a change."""
        self.driver.execute_script(
            "const [control, value] = arguments;"
            "if (control.type === 'checkbox') control.checked = value; else control.value = value;"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, { bubbles: true }));",
            self.find(selector),
            value,
        )

    def faults(self) -> list[str]:
        """Return what the console said against the page."""
        said = self.driver.execute("getLog", {"type": "browser"})["value"]
        return [str(entry["message"]) for entry in said if entry["level"] == "SEVERE"]
