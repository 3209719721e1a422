"""`pianod` without a command: the guardian begins first, and looks for the MIDI system while all else is loaded."""

import gc

from realtime.midi.guardian_process import CAN_GUARD, GuardianProcess
from realtime.settings import Settings


def start_live(settings: Settings) -> int:
    """Play until a signal or a fault; return the exit code. PianodError tells a fault."""
    guardian = GuardianProcess(settings.api) if settings.guardian and CAN_GUARD else None
    gc.disable()  # what is imported stays
    from realtime.cli.live import run_live

    gc.enable()
    return run_live(settings, guardian=guardian)
