"""The set-up by bin/pianod and bin/test: started from anywhere, made once, started over when interrupted."""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone whose path has a space, without an environment."""
    made = tmp_path / "a clone"
    shutil.copytree(ROOT / "bin", made / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", made)
    return made


def fingerprint(clone: Path) -> str:
    script = f'root="{clone}"; . "$root/bin/environment.sh"; fingerprint'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def fake_environment(clone: Path, kind: str) -> None:
    """Put a finished environment in place, whose Python tells how it was called."""
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n')
    python.chmod(0o755)
    (clone / ".venv" / f".pianod-{kind}").write_text(f"{fingerprint(clone)}\n")


def call(command: Path, *arguments: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    return subprocess.run([command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def module_of(clone: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", clone / "bin" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def set_up(clone: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return bin/set_up.py of the clone, with pip and venv replaced by notes of what they were asked for."""
    module = module_of(clone)
    module.__dict__["asked"] = asked = []

    def make_venv() -> None:
        asked.append("venv")
        (clone / ".venv" / "bin").mkdir()
        (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr(module, "make_venv", make_venv)
    monkeypatch.setattr(module, "pip_install", lambda arguments, *_: asked.append(" ".join(arguments)))
    monkeypatch.setattr(module, "check_python", lambda: None)
    monkeypatch.setenv("PIANOD_SETUP_RUNTIME", "cpu")
    monkeypatch.delenv("PIANOD_SETUP_TORCH_INDEX", raising=False)
    return module


@pytest.mark.parametrize("kind", ["run", "full"])
def test_a_finished_environment_is_used_at_once_from_any_folder_and_by_a_link(
    clone: Path, tmp_path: Path, kind: str
) -> None:
    fake_environment(clone, kind)
    link, elsewhere = tmp_path / "link to pianod", tmp_path / "else where"
    link.symlink_to(Path("a clone") / "bin" / "pianod")
    elsewhere.mkdir()
    for command in (clone / "bin" / "pianod", link):
        ran = call(command, "demo", "--out", "two words", cwd=elsewhere)
        assert ran.stderr == ""
        assert ran.stdout.splitlines() == ["<-P>", "<-m>", "<realtime>", "<demo>", "<--out>", "<two words>"]


def test_without_a_python_it_says_what_to_install(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "cksum", "dirname", "readlink"):
        (tools / name).symlink_to(str(shutil.which(name)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    ran = call(clone / "bin" / "pianod", cwd=clone, path=str(tools))
    assert ran.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13, and found none" in ran.stderr
    assert "apt install python3" in ran.stderr
    assert not (clone / ".venv").exists()


def test_a_first_call_makes_the_environment_and_the_next_finds_it(set_up: ModuleType) -> None:
    set_up.set_up("run", "now")
    assert set_up.asked == ["venv", "-e .[cpu]"]
    assert set_up.is_finished("run", "now")
    assert not set_up.is_finished("full", "now")
    assert not set_up.UNFINISHED.exists()
    set_up.set_up("run", "now")
    assert len(set_up.asked) == 2


def test_a_developer_gets_everything_in_the_same_environment(set_up: ModuleType, clone: Path) -> None:
    set_up.set_up("run", f"now {clone}")
    set_up.set_up("full", f"now {clone}")
    assert set_up.asked[2:] == [set_up.TORCH, "-e .[cpu,train,export,dev]"]
    assert set_up.is_finished("run", f"now {clone}")


def test_a_changed_project_updates_the_environment(set_up: ModuleType, clone: Path) -> None:
    set_up.set_up("run", f"before {clone}")
    set_up.set_up("run", f"after {clone}")
    assert set_up.asked == ["venv", "-e .[cpu]", "-e .[cpu]"]


def test_an_interrupted_set_up_starts_over(set_up: ModuleType, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        (clone / ".venv" / "half a package").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(set_up, "pip_install", interrupted)
        patch.setattr(sys, "argv", ["set_up.py", "run", "now"])
        assert set_up.main() == 130
    assert not set_up.is_finished("run", "now")
    set_up.set_up("run", "now")
    assert not (clone / ".venv" / "half a package").exists()
    assert set_up.is_finished("run", "now")


def test_an_environment_moved_with_its_clone_is_made_anew(set_up: ModuleType, clone: Path) -> None:
    set_up.set_up("run", "now /elsewhere")
    set_up.set_up("run", f"now {clone}")
    assert set_up.asked.count("venv") == 2


def test_an_environment_made_by_hand_is_kept(set_up: ModuleType, clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (clone / ".venv" / "mine").touch()
    set_up.set_up("run", "now")
    assert set_up.asked == ["-e .[cpu]"]
    assert (clone / ".venv" / "mine").exists()


def test_an_environment_keeps_its_onnx_runtime_and_never_has_two(set_up: ModuleType, clone: Path) -> None:
    packages = clone / ".venv" / "lib" / "python3.12" / "site-packages"
    (packages / "onnxruntime_gpu-1.31.1.dist-info").mkdir(parents=True)
    assert set_up.onnx_runtime() == "gpu"
    (packages / "onnxruntime-1.31.1.dist-info").mkdir()
    with pytest.raises(set_up.SetUpError, match="both onnxruntime and onnxruntime-gpu are installed"):
        set_up.onnx_runtime()


def test_a_machine_for_which_there_is_no_gpu_build_gets_the_cpu_build(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def only_cpu(arguments: list[str], *_: object) -> None:
        asked.append(arguments[-1])
        if "gpu" in arguments[-1]:
            raise set_up.SetUpError("no matching distribution")

    monkeypatch.setenv("PIANOD_SETUP_RUNTIME", "gpu")
    monkeypatch.setattr(set_up, "pip_install", only_cpu)
    set_up.set_up("run", "now")
    assert asked == [".[gpu]", ".[cpu]"]


def test_an_unreachable_index_is_told_in_plain_words(
    set_up: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_arguments: object) -> None:
        raise set_up.NetworkError("the package index cannot be reached")

    monkeypatch.setattr(set_up, "pip_install", unreachable)
    monkeypatch.setattr(sys, "argv", ["set_up.py", "run", "now"])
    assert set_up.main() == 1
    assert "pianod: the package index cannot be reached\n" in capsys.readouterr().err
    assert not set_up.is_finished("run", "now")


def test_pip_is_asked_and_its_words_are_read(clone: Path) -> None:
    module = module_of(clone)
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for words, error in (
        ("WARNING: Retrying after NewConnectionError", module.NetworkError),
        ("ERROR: No matching distribution found for onnxruntime", module.SetUpError),
    ):
        python.write_text(f'#!/bin/sh\necho "Collecting numpy"\necho "{words}"\nexit 1\n')
        python.chmod(0o755)
        with pytest.raises(error) as caught:
            module.pip_install(["x"], module.Progress(), "installing:")
        assert caught.type is error
    assert "Collecting numpy" in module.LOG.read_text()


def test_one_set_up_at_a_time(set_up: ModuleType, clone: Path) -> None:
    with set_up.lock(set_up.Progress()), (clone / ".venv.lock").open("w") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (clone / ".venv.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
