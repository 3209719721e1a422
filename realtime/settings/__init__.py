"""Every setting of the daemon, in one model: defaults < TOML file < environment (`PIANOD_…`) < command line.

A setting has one name everywhere: `temperature` in the TOML file, `PIANOD_TEMPERATURE` in the environment and
`--temperature` on the command line. Its description, unit, range and default are read from here by `--help` and
by docs/settings.md; what else it is (changed live, kept in presets, decisive for a file, where and how the panel
shows it) are marks on its field (`marks.py`). The groups are classes of their own, so that a function can ask for the
one that it needs.
"""

from realtime.settings.all_settings import GROUPS, PREFIX, Settings, marked, settings_by_group
from realtime.settings.call_and_response import AnswerGroup
from realtime.settings.changes import ChangesGroup
from realtime.settings.marks import PageGroup, SettingMark, Shown
from realtime.settings.model import ModelGroup, SamplingGroup
from realtime.settings.modes import DuetGroup, LimitGroup, LoopGroup, ModeGroup, VelocityGroup
from realtime.settings.ports import PortGroup
from realtime.settings.service import MetronomeGroup, PanelGroup, ReportGroup
from realtime.settings.sources import DEFAULT_FILE, load_settings

__all__ = [
    "DEFAULT_FILE",
    "GROUPS",
    "PREFIX",
    "AnswerGroup",
    "ChangesGroup",
    "DuetGroup",
    "LimitGroup",
    "LoopGroup",
    "MetronomeGroup",
    "ModeGroup",
    "ModelGroup",
    "PageGroup",
    "PanelGroup",
    "PortGroup",
    "ReportGroup",
    "SamplingGroup",
    "SettingMark",
    "Settings",
    "Shown",
    "VelocityGroup",
    "load_settings",
    "marked",
    "settings_by_group",
]
