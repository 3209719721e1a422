"""How a command begins its log, and what it ends with: every fault in a line, and the exit code that tells its kind."""

import sys
import traceback
from collections.abc import Sequence

from piano.errors import PianodError, PortError
from piano.interrupted import interrupted

NO_RUNTIME = (
    "ONNX Runtime, which plays the model, is not installed: pip install 'pianod[cpu]', or 'pianod[gpu]' where there is "
    "an NVIDIA GPU; never both"
)


def begin_log(verbosity: int, told: Sequence[str]) -> None:
    """Begin to log, with what was found in the settings."""
    from loguru import logger

    from realtime.threads.logs import configure_logs

    configure_logs(verbosity)
    for line in told:
        logger.info("{}", line)


def exit_code(error: BaseException, verbosity: int, *, program: str = "pianod", hint: str = "") -> int:
    """Show what ended a command, and return the exit code: 130 interrupted, 2 what a user can mend, 1 a fault of ours.

    To be called while the error is handled. The hint stands below a missing port.
    """
    if isinstance(error, KeyboardInterrupt):
        return interrupted(program)
    if verbosity >= 2:
        traceback.print_exc()
    if isinstance(error, PianodError):
        return _told(f"{error}\n{hint}" if hint and isinstance(error, PortError) else str(error), 2)
    if isinstance(error, ModuleNotFoundError) and error.name == "onnxruntime":
        return _told(NO_RUNTIME, 2)
    fault = f"{type(error).__name__}: {error}"
    return _told(f"something went wrong inside pianod ({fault}). With -v -v it tells where.", 1)


def _told(message: str, code: int) -> int:
    from realtime.threads.logs import printable

    print(f"pianod: {printable(message)}", file=sys.stderr)
    return code
