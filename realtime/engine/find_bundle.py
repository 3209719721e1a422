"""Which bundle the settings name, loaded and verified. It asks for no more than that, so that `--version` is quick."""

from pathlib import Path
from typing import TYPE_CHECKING

from inference.bundle import Bundle
from realtime.settings import ModelGroup

if TYPE_CHECKING:
    from inference.trial import TrialLoad

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).parents[1] / "embedded"
"""The bundle that comes with the program."""


def open_bundle(settings: ModelGroup, trial: "TrialLoad | None" = None) -> Bundle:
    """Load and verify the bundle that the settings name; BundleError says what is wrong with it.

    One that did not come with the program is tried first in a process of its own.
    """
    if settings.model == EMBEDDED:
        return Bundle.load(EMBEDDED_FOLDER)
    from inference.trial import TrialLoad

    bundle = Bundle.load(Path(settings.model).expanduser())
    (trial or TrialLoad()).run(bundle)
    return bundle
