"""What can be said of the dependencies without a network; `bin/audit` says the rest."""

import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def test_every_requirement_is_a_range() -> None:
    for line in [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]:
        operators = {part.operator for part in Requirement(line).specifier}
        assert operators in ({">=", "<"}, {">=", "<", "!="}), f"{line}: from a version that was tried to below the next"


def test_what_is_installed_is_within_its_range() -> None:
    for line in [*PROJECT["dependencies"], *EXTRAS["cpu"], *EXTRAS["train"], *EXTRAS["export"], *EXTRAS["dev"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(version(requirement.name)), line
