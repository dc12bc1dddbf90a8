"""The fused loops of quadratic_kernels.c, compiled on first use.

Without a C compiler available() is False and activation.py falls back to plain PyTorch, which is 5 to 10 times
slower for these loops and otherwise the same.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("quadratic_kernels.c")
# Of -ffast-math what lets loops be vectorized; the whole of it would flush subnormals to zero in all of the process.
FLAGS = ["-O3", "-march=native", "-ffinite-math-only", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
         "-fassociative-math", "-shared", "-fPIC"]
ELEMENT_TYPES = (torch.float32, torch.bfloat16)


def _machine():
    """What -march=native depends on, so that a cache on a shared disk serves several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())


def _compile(dtype):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source = SOURCE.read_bytes()
    key = hashlib.sha256(source + " ".join([compiler, *FLAGS, _machine(), str(dtype)]).encode()).hexdigest()[:16]
    cache = SOURCE.parent / "__pycache__"
    library = cache / f"quadratic_{key}.so"
    if not library.exists():
        cache.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, suffix=".so") as file:
            define = f"-DELEMENT_IS_BFLOAT16={int(dtype is torch.bfloat16)}"
            subprocess.run([compiler, *FLAGS, define, str(SOURCE), "-o", file.name, "-lm"], check=True)
            os.link(file.name, library) if not library.exists() else None
    return ctypes.CDLL(str(library))


@functools.lru_cache(maxsize=None)
def _library(dtype):
    try:
        return _compile(dtype)
    except (OSError, subprocess.CalledProcessError):
        return None


def available(tensor):
    """Whether the fused loops serve this tensor."""
    return tensor.device.type == "cpu" and tensor.dtype in ELEMENT_TYPES and _library(tensor.dtype) is not None


def _argument(value):
    if isinstance(value, torch.Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_size_t(value) if isinstance(value, int) else ctypes.c_float(value)


def call(name, dtype, *arguments):
    """Calls a function of quadratic_kernels.c; tensors are passed by address, int as size_t, float as float."""
    getattr(_library(dtype), name)(*map(_argument, arguments))
