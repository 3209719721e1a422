"""Presets: what is saved is recalled; a damaged file is left alone and named; a name is never a path."""

import json
from pathlib import Path

import pytest

from piano.errors import ConfigError
from realtime.control.presets import KEPT, MOST_PRESETS, NOT_KEPT, Presets, presets_file
from realtime.control.protocol import CHANGEABLE, ControlError
from realtime.settings import Settings

VALUES = Settings(temperature=0.4, composer="bach", seed=7).model_dump(mode="json")


def test_what_is_saved_is_recalled_by_another_pianod(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "presets.json"
    presets = Presets(path)
    presets.save("calm", VALUES)
    assert presets.names == ("calm",)
    other = Presets(path)
    assert other.names == ("calm",)
    recalled = other.recall("calm")
    assert (recalled["temperature"], recalled["composer"]) == (0.4, "bach")
    assert set(recalled) == set(KEPT)
    assert not {"seed", "model", "input", "output", "takes"} & set(recalled), "of the moment, or of the place"
    other.forget("calm")
    assert Presets(path).names == ()


def test_each_setting_that_can_be_changed_is_a_way_of_playing_or_is_not() -> None:
    assert sorted(KEPT + NOT_KEPT) == sorted(CHANGEABLE)


def test_what_belongs_to_the_place_stays_as_it_is_though_an_older_preset_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    path.write_text(json.dumps({"old": {"mode": "duet", "thru": True, "mode_cc": 5, "metronome": "output"}}))
    assert Presets(path).recall("old") == {"mode": "duet"}


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "presets.json")
    for use in (presets.recall, presets.forget):
        with pytest.raises(ControlError, match="there is no preset"):
            use("calm")


def test_settings_that_are_no_longer_known_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    path.write_text(json.dumps({"old": {"temperature": 0.3, "left_foot": True}}))
    assert Presets(path).recall("old") == {"temperature": 0.3}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', "[" * 100_000, "x" * (2 << 20)])
def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "presets.json"
    path.write_text(text)
    presets = Presets(path)
    assert presets.names == ()
    with pytest.raises(ConfigError, match=r"presets\.json"):
        presets.save("calm", VALUES)
    assert path.read_text() == text


def test_a_name_is_a_key_and_never_a_path(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "here" / "presets.json")
    presets.save("../../escaped", VALUES)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["presets.json"]


def test_there_is_an_end_to_them(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    path.write_text(json.dumps({str(index): {} for index in range(MOST_PRESETS)}))
    presets = Presets(path)
    presets.save("1", VALUES)
    with pytest.raises(ControlError, match="which is the most"):
        presets.save("one more", VALUES)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--presets"):
        Presets(tmp_path / "file" / "presets.json").save("calm", VALUES)


def test_they_are_kept_where_configuration_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert presets_file() == tmp_path / "pianod" / "presets.json"
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    assert presets_file() == Path.home() / ".config" / "pianod" / "presets.json"
    monkeypatch.setattr("sys.platform", "darwin")
    assert presets_file().parts[-3:] == ("Application Support", "pianod", "presets.json")
