"""Settings: four places, one order; every fault told at once, in plain words."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import ConfigError
from realtime.settings import SettingMark, Settings, Shown, load_settings, marked, settings_by_group
from realtime.settings.page import settings_page
from realtime.settings.words import flag_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _bare_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PIANOD_{name.upper()}", raising=False)


def faults_of(flags: dict[str, object], config: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(flags, config=config)
    return str(caught.value)


def test_defaults_hold_where_nothing_is_said() -> None:
    loaded = load_settings()
    assert {name: getattr(loaded, name) for name in Settings.model_fields} == {
        name: field.default for name, field in Settings.model_fields.items()
    }


def test_the_command_line_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pianod.toml").write_text("temperature = 0.5\ntop_k = 5\nseed = 5\nthru = true\n")
    monkeypatch.setenv("PIANOD_TOP_K", "6")
    monkeypatch.setenv("PIANOD_SEED", "6")
    loaded = load_settings({"seed": "7"})
    assert (loaded.temperature, loaded.top_k, loaded.seed, loaded.thru) == (0.5, 6, 7, True)


def test_a_named_file_stands_in_for_the_one_in_the_working_directory(tmp_path: Path) -> None:
    Path("pianod.toml").write_text("top_k = 5\n")
    other = tmp_path / "other.toml"
    other.write_text("temperature = 0.5\n")
    loaded = load_settings(config=other)
    assert (loaded.top_k, loaded.temperature) == (0, 0.5)


def test_a_file_that_merely_lies_there_is_announced_and_opens_nothing_to_others() -> None:
    here = Path("pianod.toml")
    here.write_text('panel_host = "0.0.0.0"\nlink = true\ntakes = "/elsewhere"\ntop_k = 5\n')
    told: list[str] = []
    loaded = load_settings(tell=told.append)
    assert (loaded.panel_host, loaded.link, loaded.top_k) == (Settings.model_fields["panel_host"].default, False, 5)
    assert told == [
        f"settings of {here.absolute()}: takes, top_k",
        f"panel_host of {here.absolute()} is left out: give --panel-host, or the file by --config pianod.toml",
        f"link of {here.absolute()} is left out: give --link, or the file by --config pianod.toml",
    ]
    here.write_text('panel_host = "0.0.0.0"\n')
    asked_for = load_settings(config=here, tell=told.append)
    assert asked_for.panel_host == "0.0.0.0"
    assert len(told) == 3


def test_an_empty_value_in_the_environment_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pianod.toml").write_text('composer = "chopin"\n')
    monkeypatch.setenv("PIANOD_COMPOSER", "")
    assert load_settings().composer is None


def test_all_faults_are_told_at_once_each_with_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("temprature = 1\nmax_polyphony = 0\n[zzz]\nx = 1\n")
    monkeypatch.setenv("PIANOD_TOP_P", "7")
    monkeypatch.setenv("PIANOD_TOPK", "7")
    text = faults_of({"seed": "soon", "api": "winmm", "composer": "abba"}, config)
    assert text.startswith("8 faults in the settings:\n")
    for fault in (
        f"temprature in {config} is no setting; perhaps temperature",
        f"zzz in {config} is no setting; docs/settings.md lists them all",
        f"max_polyphony in {config} is 0; it must be a whole number from 1 to 88",
        "PIANOD_TOP_P is '7'; it must be a number above 0 and at most 1",
        "PIANOD_TOPK in the environment is no setting; perhaps top_k",
        "--seed is 'soon'; it must be a whole number from 0",
        "--api is 'winmm'; it must be one of auto, alsa, jack, core, windows",
        "--composer is 'abba'; it must be one of albeniz, bach,",
    ):
        assert fault in text


def test_variables_of_the_set_up_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIANOD_SETUP_RUNTIME", "cpu")
    load_settings()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            {"shortest_pause_s": "2", "longest_pause_s": "1"},
            "shortest_pause_s (2.0) must not exceed longest_pause_s (1.0)",
        ),
        ({"virtual_input": "a", "virtual_output": "a"}, "virtual_input and virtual_output must differ; both are 'a'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(flags: dict[str, object], says: str) -> None:
    assert faults_of(flags) == says


def test_a_file_that_is_not_toml_missing_or_not_text_is_named(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    assert f"{config} cannot be read: No such file" in faults_of({}, config)
    config.write_text("temperature = \n")
    assert faults_of({}, config).startswith(f"{config} is not a TOML file: ")
    config.write_bytes(b"\xff\xfe\x00")
    assert faults_of({}, config).startswith(f"{config} is not a TOML file: ")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().temperature = 0.1  # type: ignore[misc]


@settings(deadline=None, max_examples=30)
@given(temperature=st.floats(0.01, 2.0), top_k=st.integers(0, 1000), thru=st.booleans())
def test_a_value_means_the_same_in_every_place(temperature: float, top_k: int, thru: bool) -> None:
    values = {"temperature": temperature, "top_k": top_k, "thru": thru}
    Path("pianod.toml").write_text(f"temperature = {temperature}\ntop_k = {top_k}\nthru = {str(thru).lower()}\n")
    from_file = load_settings()
    Path("pianod.toml").unlink()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in values.items():
            environment.setenv(f"PIANOD_{name.upper()}", str(value))
        from_environment = load_settings()
    from_flags = load_settings({name: str(value) for name, value in values.items()})
    assert from_file.model_dump() == from_environment.model_dump() == from_flags.model_dump()
    assert {name: getattr(from_file, name) for name in values} == values


def test_every_setting_belongs_to_one_group_and_is_described() -> None:
    names = [name for _, fields in settings_by_group() for name in fields]
    assert sorted(names) == sorted(Settings.model_fields)
    assert all(field.description for _, fields in settings_by_group() for field in fields.values())


def test_what_can_be_changed_is_shown_by_the_panel_in_words_that_stand_at_the_setting() -> None:
    fields = {name: field for _, group in settings_by_group() for name, field in group.items()}
    shown = {name: [mark for mark in field.metadata if isinstance(mark, Shown)] for name, field in fields.items()}
    assert [name for name, marks in shown.items() if marks] == list(marked(SettingMark.LIVE))
    assert all(len(marks) <= 1 for marks in shown.values())
    labels = [mark.label for marks in shown.values() for mark in marks]
    assert len(set(labels)) == len(labels)
    static = ROOT / "realtime" / "panel" / "static"
    for script in ("settings.js", "play.js"):
        words = set(re.findall(r"\w+", (static / script).read_text()))
        assert not words & ({"pulse_guard", "duet_split", "loop_renews", "velocity_wait_ms"} | set(labels)), script


def test_the_page_of_settings_is_up_to_date() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == settings_page(), "run: python -m realtime.settings.page > docs/settings.md"
    assert all(f"`{name}` | `{flag_of(name)}`" in page for name in Settings.model_fields)


@pytest.mark.parametrize("preset", sorted((ROOT / "configs").glob("live-*.toml")), ids=lambda path: path.stem)
def test_every_preset_of_the_daemon_loads(preset: Path) -> None:
    load_settings(config=preset)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("x = " + "9" * 5000, "is not a TOML file"),
        ("#" * (1 << 18) + "\n", "larger than settings can be"),
    ],
)
def test_a_file_that_is_meant_to_harm_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    assert fault in faults_of({}, tmp_path / "mine.toml")
