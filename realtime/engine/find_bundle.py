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


def bundle_folder(settings: ModelGroup) -> Path:
    """Return where the bundle lies that the settings name, whether it is there or not."""
    return EMBEDDED_FOLDER if settings.model == EMBEDDED else Path(settings.model).expanduser()


def open_bundle(settings: ModelGroup, trial: "TrialLoad | None" = None) -> Bundle:
    """Load and verify the bundle that the settings name; BundleError says what is wrong with it.

    One that did not come with the program is tried first in a process of its own.
    """
    bundle = Bundle.load(bundle_folder(settings))
    if settings.model == EMBEDDED:
        return bundle
    from inference.trial import TrialLoad

    (trial or TrialLoad()).run(bundle)
    return bundle
