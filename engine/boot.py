"""Before everything else: the environment torch must find, and how torch and torchvision are loaded.

``environment()`` must run before torch, and on Windows before Qt; both ``__main__`` modules call it first.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

# Barriers that spin make training up to a hundred times slower as soon as another program takes one core.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

_kept_alive: list[Any] = []


def environment() -> None:
    """Set what torch reads when it is loaded. Values that the person has set stay."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # A thread that computes in short Python steps must hand over to the window quickly.
    sys.setswitchinterval(0.001)
    if sys.platform == "win32":
        # torch >= 2.9 cannot load c10.dll once Qt's own C++ runtime is in the process (pytorch#169429).
        _preload(("c10.dll",))


def load_torch() -> None:
    """Import torch so that other threads can go on: its libraries are loaded by foreign calls, which free the
    GIL.
    """
    if "torch" not in sys.modules:
        if sys.platform == "linux":
            _preload(("libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so"))
        import torch  # noqa: F401


def _preload(names: tuple[str, ...]) -> None:
    """Load some of torch's own libraries; what cannot be loaded is left to ``import torch`` and its better
    message.
    """
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(next(iter(spec.submodule_search_locations))) / "lib"
    for name in names:
        path = folder / name
        if not path.exists():
            continue
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                _kept_alive.append(ctypes.WinDLL(str(path)))
        else:
            # CDLL(path) would hold the GIL while loading; calling the C function dlopen does not.
            dlopen = ctypes.CDLL(None).dlopen
            dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
            dlopen(str(path).encode(), os.RTLD_NOW | os.RTLD_GLOBAL)


def prepare_torchvision() -> None:
    """Let ``import torchvision`` work beside a torch it was not compiled for.

    The torchvision of PyPI is built for CUDA; with a CPU torch its C++ operators do not load, and its Python
    part then fails to register their shapes. Declaring the two operators it asks for, only where they are
    missing, is enough for transforms, data sets and models.
    """
    if "torchvision" in sys.modules:
        return
    import torch

    missing = [
        (name, schema)
        for name, schema in (
            ("nms", "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
            ("qnms", "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
        )
        if not _has_operator(torch, name)
    ]
    if missing and not _extension_loads():
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for _name, schema in missing:
            library.define(schema)
        _kept_alive.append(library)


def _has_operator(torch: Any, name: str) -> bool:
    return bool(torch._C._dispatch_has_kernel(f"torchvision::{name}"))


def _extension_loads() -> bool:
    """Whether torchvision's own compiled operators load here; if they do they declare the schemas
    themselves.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    folder = Path(next(iter(spec.submodule_search_locations)))
    for path in (*folder.glob("_C*.so"), *folder.glob("_C*.pyd")):
        try:
            ctypes.CDLL(str(path))
        except OSError:
            continue
        return True
    return False
