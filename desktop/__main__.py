"""``python -m desktop``: open the window."""

from __future__ import annotations

import multiprocessing
import sys

from engine import boot


def main() -> int:
    """Set the environment that torch and Qt must find, then start."""
    multiprocessing.freeze_support()
    boot.environment()
    from desktop import app

    return app.main()


if __name__ == "__main__":
    sys.exit(main())
