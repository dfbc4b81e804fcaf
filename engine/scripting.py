"""What a script needs to train without the window: ``from engine.scripting import RunSpec, make_run``.

The window writes such scripts itself (Show me the code).
"""

from engine import boot

boot.environment()

from engine.core.events import RunSpec  # noqa: E402
from engine.core.experiment import Beside  # noqa: E402
from engine.core.runner import make_run  # noqa: E402

__all__ = ["Beside", "RunSpec", "make_run"]
