"""The one door through which ``desktop`` sees the engine. Importing it loads neither torch nor numpy."""

from engine.core.events import (
    Acted,
    Answer,
    Beating,
    Event,
    Failed,
    Ready,
    Refused,
    RunSpec,
    Saved,
    Sought,
    Started,
    Status,
    StatusChanged,
    Turned,
)
from engine.core.experiment import Demo, Info
from engine.core.frame import (
    Arrows,
    Bars,
    Channel,
    Curve,
    Images,
    Item,
    Markers,
    Note,
    Payload,
    Points,
    Regions,
    Scalar,
    Segments,
)
from engine.core.params import KnobSpec, Value, check
from engine.core.text import InputError, Text, _, translate
from engine.data.registry import Source, sources

__all__ = [
    "Acted", "Answer", "Arrows", "Bars", "Beating", "Channel", "Curve", "Demo", "Event", "Failed", "Images", "Info",
    "InputError", "Item", "KnobSpec", "Markers", "Note", "Payload", "Points", "Ready", "Refused", "Regions", "RunSpec",
    "Saved", "Scalar", "Segments", "Sought", "Source", "Started", "Status", "StatusChanged", "Text", "Turned", "Value",
    "_", "check", "sources", "translate",
]  # fmt: skip
