"""The page docs/settings.md, made from the settings: `python -m realtime.settings.page > docs/settings.md`."""

import sys

from realtime.settings import DEFAULT_FILE, PREFIX, settings_by_group
from realtime.settings.words import default_of, flag_of, range_of

HEAD = f"""# Settings

A setting has one name in three places: `temperature` in a TOML file, `{PREFIX}TEMPERATURE` in the environment,
`--temperature` on the command line. The command line comes first, then the environment, then the file, then the
default. The file is `{DEFAULT_FILE}` in the working directory where there is one, or the one given with
`--config FILE`:

```toml
temperature = 0.9
composer = "chopin"
```

A switch such as `thru` is `--thru` or `--no-thru` on the command line. `-v` and `-v -v` set `verbosity`.
A setting that is unknown or out of range stops pianod with a message that tells all faults at once.

Four variables steer the set-up by `bin/pianod` and `bin/test` and nothing else: `PIANOD_SETUP_PYTHON` (the Python to
build with), `PIANOD_SETUP_RUNTIME` (`auto`, `cpu` or `gpu`: which ONNX Runtime a new environment gets),
`PIANOD_SETUP_TORCH_INDEX` (a package index to take torch from) and `PIANOD_SETUP_SYSTEM` (`no`: `bin/test` installs no
system packages). An environment keeps its ONNX Runtime; delete `.venv` to change it.

This page is made from the settings themselves: `python -m realtime.settings.page > docs/settings.md`.
"""


def settings_page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for title, fields in settings_by_group():
        rows = [
            f"| `{name}` | `{flag_of(name)}` | {field.description} | {range_of(field)} | "
            f"{f'`{default_of(field)}`' if default_of(field) else ''} |"
            for name, field in fields.items()
        ]
        parts.append(
            f"## {title}\n\n| setting | flag | what it does | may be | default |\n|---|---|---|---|---|\n"
            + "\n".join(rows)
            + "\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(settings_page())
