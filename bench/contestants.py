"""Who takes part in decoding, in which environment, with weights in which precision."""

from dataclasses import dataclass
from pathlib import Path

OURS = "pianod"
FLOOR, MEMORY_FLOOR = "floor", "floor from memory"

OWN, OPTIMUM = ".venv-bench", ".venv-bench-optimum"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant: its name in the tables, the class that plays it, and the environment that it lives in."""

    name: str
    module: str
    kind: str
    precision: str
    environment: str = OWN
    converts: bool = False
    """Whether it makes a file of its own format first; that is no part of its start-up."""
    compiled: bool = False
    """Whether it has to be compiled, which takes minutes: only where that is asked for."""

    def python(self, root: Path) -> Path:
        """Return the interpreter of its environment."""
        return root / self.environment / "bin" / "python"


CONTESTANTS = (
    Entry(OURS, "bench.peers.ours", "Ours", "int8"),
    Entry("pianod fp32", "bench.peers.ours", "Ours", "fp32"),
    Entry("PyTorch eager", "bench.peers.torch_eager", "TorchEager", "fp32"),
    Entry("Hugging Face generate", "bench.peers.hugging_face", "HuggingFace", "fp32"),
    Entry("Optimum ONNX Runtime", "bench.peers.optimum_ort", "OptimumOrt", "fp32", OPTIMUM, converts=True),
    Entry("CTranslate2 fp32", "bench.peers.ctranslate", "CTranslate", "float32", converts=True),
    Entry("CTranslate2 int8", "bench.peers.ctranslate", "CTranslate", "int8", converts=True),
    Entry("llama.cpp fp32", "bench.peers.llama_cpp_python", "LlamaCpp", "F32", converts=True, compiled=True),
    Entry("llama.cpp q8_0", "bench.peers.llama_cpp_python", "LlamaCpp", "Q8_0", converts=True, compiled=True),
)
"""In the order of the tables; all that do not bear our name are peers."""

READER = Entry(FLOOR, "bench.floor", "MemoryReader", "none")
"""What reads memory as fast as it can be read from numpy."""


def is_peer(name: str) -> bool:
    """Say whether a contestant is someone else's."""
    return not name.startswith(OURS) and name != FLOOR
