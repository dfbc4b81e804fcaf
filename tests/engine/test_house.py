"""Rules of the house that a linter cannot see."""

from __future__ import annotations

import subprocess
import sys
import textwrap

WITHOUT_QT = textwrap.dedent(
    """
    import sys

    class NoQt:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("PySide6", "shiboken6", "pyqtgraph", "desktop"):
                raise ImportError(f"{name} must not be needed here")
            return None

    sys.meta_path.insert(0, NoQt())
    """
)


def python(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=300
    )


def test_the_engine_trains_where_qt_cannot_be_imported(tmp_path) -> None:  # type: ignore[no-untyped-def]
    program = WITHOUT_QT + "from engine.__main__ import main; sys.exit(main(sys.argv[1:]))"
    for name in ("kmeans", "pca"):
        done = python(program, "run", name, "--steps", "3", "--out", str(tmp_path / name))
        assert done.returncode == 0, done.stderr


def test_the_door_to_the_engine_loads_neither_torch_nor_numpy() -> None:
    done = python(
        "import sys, engine.api; print([m for m in ('torch', 'numpy', 'sklearn') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_torchvision_works_beside_this_torch_and_its_schemas_are_declared_only_once() -> None:
    program = textwrap.dedent(
        """
        from engine import boot
        boot.environment(); boot.load_torch(); boot.prepare_torchvision(); boot.prepare_torchvision()
        import torch, torchvision.transforms.v2, torchvision.datasets, torchvision.models
        assert torchvision.transforms.v2.Resize(4)(torch.zeros(1, 8, 8)).shape == (1, 4, 4)
        """
    )
    assert python(program).returncode == 0


def test_schemas_that_torchvision_declares_itself_are_left_alone() -> None:
    program = textwrap.dedent(
        """
        from engine import boot
        boot.load_torch()
        boot._extension_loads = lambda: True
        boot.prepare_torchvision()
        assert not boot._kept_alive
        """
    )
    done = python(program)
    assert done.returncode == 0, done.stderr


def test_the_environment_is_set_before_torch_and_a_persons_own_value_stays() -> None:
    program = textwrap.dedent(
        """
        import os
        os.environ["KMP_BLOCKTIME"] = "7"
        os.environ.pop("OMP_WAIT_POLICY", None)
        from engine import boot
        boot.environment()
        assert (os.environ["OMP_WAIT_POLICY"], os.environ["KMP_BLOCKTIME"]) == ("PASSIVE", "7")
        """
    )
    assert python(program).returncode == 0
