"""The record of what is played: the same in another process, and what differs is named."""

import json
import os
import subprocess
import sys

from tests.support.session_models import model_of_chance
from tests.unchanged.record import differences
from tests.unchanged.sessions import session_records

LOOP = (
    "from tests.unchanged.sessions import session_records as r; from tests.support.scripted_play import *; import json"
)


def test_a_session_of_chance_is_the_same_in_another_process() -> None:
    here = dict(session_records(frozenset({"loop"}), lambda: model_of_chance(3)))
    code = f"{LOOP}; print(json.dumps(dict(r(frozenset({{'loop'}}), lambda: model_of_chance(3)))))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.getcwd()},
    )
    assert json.loads(ran.stdout) == here


def test_what_differs_is_named() -> None:
    old, new = {"same": "1", "other": "2", "gone": "3"}, {"same": "1", "other": "4", "new": "5"}
    assert differences(old, new) == ["gone: is gone", "new: was not there", "other: differs"]
