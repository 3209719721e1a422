"""What the daemon must not load (a player installs no torch, a start must be quick), and that nothing goes round."""

import pkgutil
import subprocess
import sys
from graphlib import TopologicalSorter

import grimp

import realtime

HEAVY = ("torch", "train", "export", "onnx", "onnxscript", "safetensors", "transformers", "tensorboard")


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_the_whole_daemon_loads_without_torch_trainer_or_exporter() -> None:
    modules = [module.name for module in pkgutil.walk_packages(realtime.__path__, "realtime.")]
    statement = "\n".join(f"import {name}" for name in modules if not name.endswith("__main__"))
    loaded = loaded_after(statement)
    assert "realtime.cli.command_line" in loaded
    assert not loaded.intersection(HEAVY)


def test_the_command_line_loads_neither_model_nor_ports_nor_pictures() -> None:
    loaded = loaded_after("import realtime.cli.command_line")
    assert not loaded.intersection({"numpy", "loguru", "onnxruntime", "rtmidi", "matplotlib", "symusic", *HEAVY})


def test_the_version_is_told_without_numpy_and_without_loading_onnx_runtime() -> None:
    loaded = loaded_after("import realtime.cli.version")
    assert not loaded.intersection({"numpy", "loguru", "onnxruntime"})


def test_the_guardian_loads_what_it_needs_and_no_more() -> None:
    loaded = loaded_after("import realtime.midi.guardian")
    assert not loaded.intersection({"numpy", "onnxruntime", "pydantic", "symusic", *HEAVY})


def test_the_guardian_begins_before_model_and_ports_are_loaded() -> None:
    loaded = loaded_after("import realtime.cli.start_live")
    assert not loaded.intersection({"numpy", "onnxruntime", "rtmidi", "realtime.cli.live"})


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("piano", "inference", "workers", "train", "export", "realtime")
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert list(TopologicalSorter(imports).static_order()), "a circle is a CycleError, which names it"
