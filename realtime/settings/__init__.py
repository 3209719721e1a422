"""Every setting of the daemon, in one model: defaults < TOML file < environment (`PIANOD_…`) < command line.

A setting has one name everywhere: `temperature` in the TOML file, `PIANOD_TEMPERATURE` in the environment and
`--temperature` on the command line. Its description, unit, range and default are read from here by `--help` and
by docs/settings.md. The groups are classes of their own, so that a function can ask for the one that it needs.
"""

from realtime.settings.all_settings import GROUPS, PREFIX, Settings, settings_by_group
from realtime.settings.call_and_response import AnswerSettings
from realtime.settings.model import ModelSettings, SamplingSettings
from realtime.settings.modes import DuetSettings, LimitSettings, LoopSettings, ModeSettings, VelocitySettings
from realtime.settings.ports import PortSettings
from realtime.settings.service import MetronomeSettings, PanelSettings, ReportSettings
from realtime.settings.sources import DEFAULT_FILE, load_settings

__all__ = [
    "DEFAULT_FILE",
    "GROUPS",
    "PREFIX",
    "AnswerSettings",
    "DuetSettings",
    "LimitSettings",
    "LoopSettings",
    "MetronomeSettings",
    "ModeSettings",
    "ModelSettings",
    "PanelSettings",
    "PortSettings",
    "ReportSettings",
    "SamplingSettings",
    "Settings",
    "VelocitySettings",
    "load_settings",
    "settings_by_group",
]
