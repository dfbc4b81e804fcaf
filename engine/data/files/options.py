"""How own data are to be read: the questions that matter, declared as the knobs of an experiment are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.core.params import Choice, Knob, Switch
from engine.core.text import _

AS_SUGGESTED, NO_LABEL = -1, 0
"""Values of ``TableParams.label`` besides the number of a column, counted from 1."""
MOST_COLUMNS = 2048
"""Numbers that an item may have in a table; what makes a matrix of all pairs needs its square."""
MOST_PICTURES, MOST_ROWS = 20_000, 100_000

_MOST = _("Larger sets are sampled, always alike; the window says how many of how many are shown.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams:
    """A folder of pictures, or arrays of pictures."""

    size: Annotated[
        str,
        Choice(
            {
                "auto": _("as suggested"),
                "28": _("28 × 28"),
                "32": _("32 × 32"),
                "48": _("48 × 48"),
                "64": _("64 × 64"),
            },
            label=_("Size"),
            help=_("Every picture is brought to this size. Larger ones take more time to learn from."),
        ),
    ] = "auto"
    fit: Annotated[
        str,
        Choice(
            {"crop": _("cut to the middle square"), "pad": _("keep all, fill the borders")},
            label=_("Pictures that are not square"),
            help=_("Whether to lose their ends or to put bars beside them."),
        ),
    ] = "crop"
    colour: Annotated[
        str,
        Choice(
            {"auto": _("as they are"), "grey": _("grey"), "colour": _("colour")},
            label=_("Colour"),
            help=_("Grey pictures are a third of the size and faster to learn from."),
        ),
    ] = "auto"
    ground: Annotated[
        str,
        Choice(
            {"white": _("white"), "black": _("black")},
            label=_("Ground"),
            help=_("What shows through where a picture is transparent, and what fills the borders."),
        ),
    ] = "white"
    classes: Annotated[
        bool, Switch(label=_("Folders are classes"), help=_("Name each picture's class after its folder."))
    ] = True
    most: Annotated[int, Knob(10, MOST_PICTURES, "log", label=_("At most"), help=_MOST)] = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableParams:
    """A table: CSV, TSV, Parquet, NPY or NPZ."""

    label: Annotated[
        int,
        Knob(
            AS_SUGGESTED,
            MOST_COLUMNS,
            label=_("Label column"),
            help=_("The column that names the class, counted from 1. 0: none, −1: as suggested."),
        ),
    ] = AS_SUGGESTED
    missing: Annotated[
        str,
        Choice(
            {"drop": _("leave the row out"), "mean": _("put the mean of the column")},
            label=_("Missing values"),
            help=_("What becomes of a row in which a number is missing."),
        ),
    ] = "drop"
    categories: Annotated[
        str,
        Choice(
            {"onehot": _("one 0/1 column for each word"), "drop": _("leave them out")},
            label=_("Columns of words"),
            help=_("What becomes of columns with few different words, such as a colour or a country."),
        ),
    ] = "onehot"
    standardise: Annotated[
        bool,
        Switch(
            label=_("Standardise"),
            help=_(
                "Bring every column to mean 0 and standard deviation 1, so that no unit outweighs another."
            ),
        ),
    ] = False
    header: Annotated[
        str,
        Choice(
            {"auto": _("as suggested"), "yes": _("names"), "no": _("values")},
            label=_("First line"),
            help=_("Whether the first line of the file names the columns."),
        ),
    ] = "auto"
    delimiter: Annotated[
        str,
        Choice(
            {
                "auto": _("as suggested"),
                "comma": _("comma"),
                "semicolon": _("semicolon"),
                "tab": _("tab"),
                "bar": _("vertical bar"),
                "space": _("space"),
            },
            label=_("Between two cells"),
            help=_("The sign that separates the cells of a line."),
        ),
    ] = "auto"
    decimal: Annotated[
        str,
        Choice(
            {"auto": _("as suggested"), "point": _("point"), "comma": _("comma")},
            label=_("Decimal sign"),
            help=_("How one and a half is written: 1.5 or 1,5."),
        ),
    ] = "auto"
    encoding: Annotated[
        str,
        Choice(
            {
                "auto": _("as suggested"),
                "utf-8": _("UTF-8"),
                "utf-16": _("UTF-16"),
                "cp1252": _("Western European (Windows)"),
                "latin-1": _("Latin-1"),
            },
            label=_("Encoding"),
            help=_("Choose another one where accents look wrong."),
        ),
    ] = "auto"
    most: Annotated[int, Knob(10, MOST_ROWS, "log", label=_("At most"), help=_MOST)] = 20_000
