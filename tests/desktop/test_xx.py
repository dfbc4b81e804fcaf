from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
import threading
keep=[]
def test_timer(qapp):
    t=QTimer(); t.start(100); keep.append(t)
def test_widget(qapp):
    w=QWidget(); w.show(); keep.append(w)
def test_thread(qapp):
    e=threading.Event(); t=threading.Thread(target=e.wait, daemon=True); t.start(); keep.append(e)
def test_ok(qapp): pass
