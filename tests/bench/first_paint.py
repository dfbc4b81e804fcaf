"""Start a window as ``python -m desktop`` does, say how much CPU its first picture took, and end.

A process of its own for bench_start. It imports as little as it can, since all of it is counted.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """``ours``: Latentarium; ``bare``: an empty window of PySide6."""
    ours = sys.argv[1] == "ours"
    if ours:
        from engine import boot

        boot.environment()
        from desktop import app as desktop_app

    from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
    from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget

    done = QEvent.Type(QEvent.registerEventType())

    class Watch(QObject):
        seen = False

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            is_first = not self.seen and event.type() == QEvent.Type.Paint
            if is_first and isinstance(watched, QWidget) and watched.isWindow():
                self.seen = True  # its children follow in the same pass; then comes what is posted now
                QCoreApplication.postEvent(self, QEvent(done), Qt.EventPriority.HighEventPriority.value)
            return False

        def event(self, event: QEvent) -> bool:
            if event.type() == done:
                print(time.process_time(), flush=True)
                os._exit(0)  # nothing of the rest of its life is looked at
            return super().event(event)

    app = QApplication(["bench"])
    watch = Watch()
    app.installEventFilter(watch)
    if ours:
        desktop_app.main([])
    else:
        window = QMainWindow()
        window.setCentralWidget(QLabel("Latentarium"))
        window.resize(1280, 720)
        window.show()
        app.exec()


if __name__ == "__main__":
    main()
