"""Log lines: what a player sees, and what -v adds."""

from collections.abc import Iterator
from io import StringIO

import pytest
from loguru import logger

from realtime.threads.logs import configure_logs, printable


@pytest.fixture(autouse=True)
def _no_handlers_left() -> Iterator[None]:
    yield
    logger.remove()


def lines_at(verbosity: int) -> list[str]:
    stream = StringIO()
    configure_logs(verbosity, stream)
    logger.trace("a token")
    logger.debug("a key")
    logger.info("listening on {}", "piano {1}")
    try:
        raise RuntimeError("a bolt is loose")
    except RuntimeError:
        logger.exception("it fell")
    logger.complete()
    return stream.getvalue().splitlines()


def test_a_player_sees_plain_lines_without_stack_traces() -> None:
    assert lines_at(0) == ["listening on piano {1}", "ERROR: it fell"]


def test_v_adds_times_and_what_happens() -> None:
    lines = lines_at(1)
    assert [line.split()[1] for line in lines] == ["DEBUG", "INFO", "ERROR"]


def test_two_v_tell_everything() -> None:
    text = "\n".join(lines_at(2))
    assert "a token" in text
    assert "Traceback (most recent call last)" in text


def test_an_unknown_verbosity_is_misuse() -> None:
    with pytest.raises(ValueError, match="0 to 2, not 3"):
        configure_logs(3)


def test_what_a_name_holds_steers_no_terminal() -> None:
    stream = StringIO()
    configure_logs(0, stream)
    logger.warning("{} is read", "\x1b[2J\x9bone\rtwo\x07\u202efour.mid")
    logger.complete()
    assert stream.getvalue() == "WARNING: \\x1b[2J\\x9bone\\rtwo\\x07\\u202efour.mid is read\n"
    assert printable("Für Elise, Ω:\tone\nline\u00a0more \udcff") == "Für Elise, Ω:\tone\nline\u00a0more \\udcff"
