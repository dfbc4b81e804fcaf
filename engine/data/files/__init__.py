"""A person's own data: a folder of pictures, a table, arrays, a text.

:func:`look` says what lies at a path and what would become of it; :func:`read` makes a data set of it;
:data:`SOURCES` are what the registry offers, so that a run can name a path as it names any other data.
Whatever is wrong with a file ends in one sentence (:class:`~engine.core.text.InputError`). Importing this
loads neither torch nor numpy.
"""

from engine.data.files.door import SOURCES, Reading, look, read, read_whole, thumbnails
from engine.data.files.options import ImageParams, TableParams
from engine.data.files.report import Column, Count, Question, Report, as_plain
from engine.data.files.words import read_text

__all__ = [
    "SOURCES",
    "Column",
    "Count",
    "ImageParams",
    "Question",
    "Reading",
    "Report",
    "TableParams",
    "as_plain",
    "look",
    "read",
    "read_text",
    "read_whole",
    "thumbnails",
]
