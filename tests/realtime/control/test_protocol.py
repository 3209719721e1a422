"""The control API: what is no request is refused in words, what is one is read exactly, settings change as they may."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import ConfigError
from realtime.control.protocol import (
    CHANGEABLE,
    LONGEST_REQUEST,
    CommandName,
    ControlError,
    changed,
    decode_request,
    descriptions,
)
from realtime.settings import PageGroup, Settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(1) | JSON,
        "id": st.integers(-1, 2**60) | JSON,
        "command": st.sampled_from(list(CommandName)) | JSON,
        "settings": st.dictionaries(st.sampled_from(CHANGEABLE), JSON, max_size=3) | JSON,
        "midi": st.lists(st.binary(max_size=4).map(bytes.hex), max_size=3) | JSON,
        "other": JSON,
    },
)


def request(**fields: object) -> str:
    return json.dumps({"version": 1, "id": 7, **fields})


@pytest.mark.parametrize("name", ["answer", "stop", "new_piece", "retry", "panic", "take", "keep", "undo", "clear"])
def test_a_plain_command_is_read(name: str) -> None:
    read = decode_request(request(command=name))
    assert (read.command, read.id, read.settings, read.midi) == (name, 7, None, None)


def test_settings_and_notes_are_read() -> None:
    assert decode_request(request(command="change", settings={"top_k": 5})).settings == {"top_k": 5}
    notes = decode_request(request(command="play", midi=["903c40", "b0407f"]))
    assert notes.messages() == (b"\x90\x3c\x40", b"\xb0\x40\x7f")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "request"),
        ("[]", "request"),
        ('{"version":2,"id":1,"command":"stop"}', "version"),
        ('{"version":true,"id":1,"command":"stop"}', "version"),
        ('{"version":1,"id":true,"command":"stop"}', "id"),
        ('{"version":1,"id":1,"command":"quit"}', "command"),
        (request(command="stop", path="/etc/passwd"), "path"),
        (request(command="stop", midi=["903c40"]), "only with it"),
        (request(command="change"), "only with it"),
        (request(command="change", settings={}), "settings"),
        (request(command="play", midi=["f0"]), "midi"),
        (request(command="play", midi=["903c80"]), "midi"),
        (request(command="play", midi=["903c40\n"]), "midi"),
        (request(command="play", midi=["903c40"] * 65), "midi"),
        (" " * (LONGEST_REQUEST + 1), "at most"),
        ("[" * 10_000, "request"),
    ],
)
def test_what_is_no_request_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ControlError, match=fault):
        decode_request(text)


@given(FIELDS.map(json.dumps) | st.text())
def test_anything_is_a_request_or_refused(text: str) -> None:
    with suppress(ControlError):
        messages = decode_request(text).messages()
        assert all(len(data) == 3 and data[0] >= 0x80 > max(data[1:]) for data in messages)


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(CHANGEABLE), JSON, max_size=4))
def test_changed_settings_are_settings_or_refused(changes: dict[str, object]) -> None:
    with suppress(ControlError, ConfigError):
        after = changed(Settings(), changes)
        unchanged = set(Settings.model_fields) - set(changes)
        assert all(getattr(after, name) == getattr(Settings(), name) for name in unchanged)


def test_only_what_may_change_changes_and_within_its_range() -> None:
    assert changed(Settings(), {"temperature": 0.5, "composer": "bach"}).composer == "bach"
    with pytest.raises(ControlError, match="model"):
        changed(Settings(), {"model": "/elsewhere"})
    with pytest.raises(ConfigError, match="temperature is 7"):
        changed(Settings(), {"temperature": 7})
    for name in ("temperature", "beats", "density"):
        with pytest.raises(ConfigError, match=f"{name} is True; it must be"):
            changed(Settings(), {name: True})
    assert changed(Settings(), {"thru": True}).thru
    with pytest.raises(ConfigError, match="must not exceed"):
        changed(Settings(), {"shortest_pause_s": 5.0})


def test_every_setting_that_may_change_is_described() -> None:
    described = {description.name: description for description in descriptions()}
    assert sorted(described) == sorted(CHANGEABLE)
    sections = [description.section for description in described.values()]
    assert sections == sorted(sections, key=[group.title for group in PageGroup].index)
    assert all(description.description for description in described.values())
    assert described["temperature"].kind == "number"
    assert described["temperature"].bounds == {"gt": 0.0, "le": 2.0}
    assert (described["trigger"].kind, described["trigger"].choices[0]) == ("choice", "pause")
    assert (described["thru"].kind, described["top_k"].kind) == ("switch", "whole")
    assert described["composer"].optional
    assert "chopin" in described["composer"].choices
    assert described["density"].optional
    assert (described["density"].label, described["density"].none) == ("Notes a second", "as you play")
    assert (described["loop_sounds"].section, described["loop_sounds"].modes) == ("How the loop goes round", ("loop",))
    assert (described["answer"].knob_of, described["answer"].knob) == (("answer",), "How long")
    for description in described.values():
        low, high = description.bounds.get("ge", -np.inf), description.bounds.get("le", np.inf)
        assert description.slider is None or low <= description.slider[0] < description.slider[1] <= high
