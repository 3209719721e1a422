"""bin/test as a whole, with an environment, a package manager and checks that only note what they were asked for."""

import os
import pty
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "cat", "cksum", "dirname", "readlink", "sed", "tr", "env")
PROGRAMS = ("jackd", "fluidsynth", "chromium", "chromedriver", "pgrep", "aconnect", "ip")

PYTHON = """#!/bin/sh
case "$*" in
    *pytest*) exit {pytest} ;;
    *ruff*) exit {ruff} ;;
    *ctypes*) exit 0 ;;
esac
"""

APT_GET = """#!/bin/sh
echo "apt-get $*" >> {log}
case "$*" in *install*) for word in "$@"; do
    case $word in
        jackd2) : > {bin}/jackd; chmod +x {bin}/jackd ;;
        nothing) exit 100 ;;
    esac
done ;; esac
"""


@dataclass
class Machine:
    """A clone and a PATH with nothing but what is put into it."""

    clone: Path
    bin: Path
    environment: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, script: str = "#!/bin/sh\n") -> None:
        """Install a program."""
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def environment_that_exits(self, *, pytest: int = 0, ruff: int = 0) -> None:
        """Put a finished environment in place, whose checks end with these codes."""
        python = self.clone / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(PYTHON.format(pytest=pytest, ruff=ruff))
        (python.parent / "lint-imports").write_text("#!/bin/sh\n")
        for program in python.parent.iterdir():
            program.chmod(0o755)
        script = 'root=$1; . "$root/bin/environment.sh"; fingerprint'
        printed = subprocess.run(["sh", "-c", script, "sh", str(self.clone)], capture_output=True, check=True).stdout
        (self.clone / ".venv" / ".pianod-full").write_bytes(printed)

    def test(self, *arguments: str, command: str = "bin/test") -> "subprocess.CompletedProcess[str]":
        """Call bin/test, or .ci/run; there is no terminal."""
        return subprocess.run(
            [self.clone / command, *arguments],
            env={"PATH": str(self.bin), **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> str:
        """What the package manager was asked for."""
        log = self.clone / "asked"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with everything but jackd, whose user is not root and has no sudo."""
    clone, programs = tmp_path / "a clone", tmp_path / "programs"
    for folder in ("bin", ".ci"):
        shutil.copytree(ROOT / folder, clone / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", clone)
    table = clone / "bin" / "system_packages.txt"
    table.write_text("".join(line for line in table.read_text().splitlines(True) if "/usr/share" not in line))
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(str(shutil.which(tool)))
    made = Machine(clone, programs)
    for program in PROGRAMS:
        made.put(program)
    (programs / "jackd").unlink()
    made.put("apt-get", APT_GET.format(log=f"'{clone}/asked'", bin=f"'{programs}'"))
    made.put("debconf-set-selections", "#!/bin/sh\ncat > /dev/null\n")
    made.put("id", "#!/bin/sh\necho 1000\n")
    made.environment_that_exits()
    return made


def test_help_helps_and_does_nothing(machine: Machine) -> None:
    shutil.rmtree(machine.clone / ".venv")
    said = machine.test("--help")
    assert said.returncode == 0
    assert "PIANOD_SETUP_SYSTEM=no" in said.stdout
    assert not (machine.clone / ".venv").exists()
    assert machine.asked == ""


def test_root_installs_what_is_missing_and_says_so_before(machine: Machine) -> None:
    machine.put("id", "#!/bin/sh\necho 0\n")
    ran = machine.test()
    assert ran.returncode == 0, ran.stderr
    assert "installing what the tests need from the system:\n    apt-get install" in ran.stderr
    assert "install -y -qq --no-install-recommends jackd2\n" in machine.asked
    assert "All checks passed" in ran.stdout


@pytest.mark.parametrize("command", ["bin/test", ".ci/run"])
def test_where_it_may_not_it_says_the_line_and_runs_the_rest(machine: Machine, command: str) -> None:
    machine.environment_that_exits(pytest=77)
    ran = machine.test(command=command)
    assert ran.returncode == 77
    assert machine.asked == ""
    before, _, after = ran.stderr.partition("Not run:")
    for said in (before, after):
        assert "\n    sudo apt-get install --no-install-recommends jackd2\n" in said
    assert "== mypy" in ran.stdout
    assert "All checks passed" not in ran.stdout


def test_sudo_asks_nothing_where_nobody_sits(machine: Machine) -> None:
    machine.environment_that_exits(pytest=77)
    machine.put("sudo", f'#!/bin/sh\necho "sudo $*" >> \'{machine.clone}/asked\'\n[ "$1" = -n ] || exit 9\nexit 1\n')
    ran = machine.test()
    assert ran.returncode == 77
    assert machine.asked == "sudo -n true\n"
    assert "    sudo apt-get install --no-install-recommends jackd2\n" in ran.stderr


def test_sudo_that_needs_no_word_installs(machine: Machine) -> None:
    machine.put("sudo", '#!/bin/sh\n[ "$1" = -n ] || exit 9\nshift\n[ "$1" = true ] || exec "$@"\n')
    ran = machine.test()
    assert ran.returncode == 0, ran.stderr
    assert "    sudo -n apt-get install --no-install-recommends jackd2\n" in ran.stderr


def test_sudo_may_ask_whoever_sits_at_a_terminal(machine: Machine) -> None:
    machine.put("sudo", '#!/bin/sh\n[ "$1" != -n ] || exit 9\nexec "$@"\n')
    here, there = pty.openpty()
    ran = subprocess.run(
        [machine.clone / "bin" / "test"],
        env={"PATH": str(machine.bin)},
        stdin=there,
        stdout=subprocess.DEVNULL,
        stderr=there,
        check=False,
    )
    assert ran.returncode == 0
    os.close(there)
    assert b"    sudo apt-get install --no-install-recommends jackd2" in os.read(here, 10_000)
    assert "install -y -qq --no-install-recommends jackd2" in machine.asked
    os.close(here)


def test_one_name_that_apt_does_not_know_keeps_the_others_from_nothing(machine: Machine) -> None:
    table = machine.clone / "bin" / "system_packages.txt"
    table.write_text(table.read_text() + "tests  nothing  no-such-program  an unknown name\n")
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.environment_that_exits(pytest=77)
    ran = machine.test()
    assert ran.returncode == 77
    assert "nothing could not be installed" in ran.stderr
    assert (machine.bin / "jackd").exists()


def test_no_package_is_installed_where_that_is_asked(machine: Machine) -> None:
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.environment["PIANOD_SETUP_SYSTEM"] = "no"
    ran = machine.test()
    assert machine.asked == ""
    assert "as PIANOD_SETUP_SYSTEM=no asks: jackd2" in ran.stderr


def test_a_system_without_apt_get_is_told_what_is_missing(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    ran = machine.test()
    assert "missing: jackd2. Those are Debian's names, and there is no apt-get here" in ran.stderr
    assert "== pytest" in ran.stdout


def test_what_failed_counts_more_than_what_was_not_run(machine: Machine) -> None:
    machine.environment_that_exits(pytest=77, ruff=1)
    ran = machine.test()
    assert ran.returncode == 1
    assert "Failed: ruff check, ruff format\n" in ran.stderr


def test_pytest_ends_with_a_code_of_its_own_where_a_program_is_missing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(
        "from tests.support.programs import path_of\ndef test_it():\n    path_of('jackd')\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)]
    environment = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 77, ran.stdout
    assert "1 tests: jackd is not installed (Debian, Ubuntu: apt install jackd2)" in ran.stdout
