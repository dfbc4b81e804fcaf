"""The application's style sheet, made from the tokens.

Fonts are not set here but on the widgets (``look.font``) and on the application, so that a widget may differ.
What the sheet knows by object name: ``panel`` (a card; property ``highlight`` = true gives it the accent's
border), ``panelTitle``, ``panelAside``, ``sectionTitle``, ``brand``, ``bar`` (top and bottom), ``side`` (left
and right columns), ``primary`` (the one accented button), ``flat`` (a button without a frame), ``chip``,
``caption``, ``quiet``, ``flagged``, ``problem``.
"""

from __future__ import annotations

from pathlib import Path

from desktop.style.tokens import Look

ICON_FOLDER = Path(__file__).resolve().parent.parent.parent / "assets" / "icons"


def style_sheet(look: Look) -> str:
    """The whole sheet for the present look; set it on the application whenever ``look.changed``."""
    c, px = look.colours, look.px
    chevron = (ICON_FOLDER / "chevron.svg").as_posix()
    before, after = (
        chevron.replace("chevron.", "chevron-left."),
        chevron.replace("chevron.", "chevron-right."),
    )
    tick = (ICON_FOLDER / f"tick-{look.theme}.svg").as_posix()
    return f"""
QMainWindow, QDialog, QMessageBox {{ background: {c.window}; }}
QWidget {{ color: {c.text}; selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
QLabel {{ background: transparent; }}
#side, #bar {{ background: {c.surface}; border: 0px solid {c.line}; }}
#panel {{ background: {c.surface}; border: 1px solid {c.line}; border-radius: {px(8)}px; }}
#panel[highlight="true"] {{ border: {px(2)}px solid {c.accent}; }}
#panelTitle, #brand {{ color: {c.text}; }}
#panelSide {{ color: {c.accent}; padding-right: {px(6)}px; }}
#panelAside, #quiet, #sectionTitle {{ color: {c.quiet}; }}
QHeaderView, QHeaderView::section, QTableCornerButton::section {{ background: {c.raised}; color: {c.text};
    border: none; border-right: 1px solid {c.line}; padding: {px(3)}px {px(6)}px; }}
QTableWidget, QListWidget {{ background: {c.surface}; border: 1px solid {c.line}; gridline-color: {c.line}; }}
#notice {{ background: {c.text}; border: none; border-radius: {px(8)}px; }}
#notice QLabel {{ color: {c.surface}; }}
#notice[kind="problem"] {{ background: {c.problem}; }}
#notice[kind="problem"] QLabel {{ color: {c.on_accent if look.dark else c.surface}; }}
#problem {{ color: {c.problem}; }}
#flagged {{ color: {c.flag}; }}
#caption {{ color: {c.text}; background: {c.raised}; border-radius: {px(8)}px;
    padding: {px(6)}px {px(12)}px; }}
#chip {{ color: {c.on_accent}; background: {c.accent}; border-radius: {px(9)}px;
    padding: {px(1)}px {px(8)}px; }}

QTabBar {{ background: transparent; border: none; qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {c.quiet}; border: none;
    border-bottom: {px(3)}px solid transparent;
    padding: {look.icon_px(8)}px {px(12)}px {look.icon_px(6)}px {px(12)}px; margin: 0px {px(3)}px; }}
QTabBar::tab:hover {{ color: {c.text}; background: {c.raised}; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom-color: {c.accent}; }}
QTabBar::tab:focus {{ color: {c.accent}; }}
QTabBar QToolButton {{ background: {c.surface}; border: 1px solid {c.line}; }}
QTabBar::scroller {{ width: {px(26)}px; }}
QTabBar QToolButton::left-arrow {{ image: url("{before}"); }}
QTabBar QToolButton::right-arrow {{ image: url("{after}"); }}
QTabWidget::pane {{ border: none; }}

QPushButton, QToolButton {{ background: {c.surface}; color: {c.text}; border: 1px solid {c.line};
    border-radius: {px(6)}px; padding: {px(4)}px {px(9)}px; }}
QToolButton {{ padding: {px(4)}px; }}
QPushButton:hover, QToolButton:hover {{ background: {c.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {c.raised}; }}
QPushButton:checked, QToolButton:checked {{ background: {c.raised}; border-color: {c.accent};
    color: {c.accent}; }}
QPushButton:focus, QToolButton:focus {{ border: {px(2)}px solid {c.accent};
    padding: {px(4) - px(2) + 1}px {px(9) - px(2) + 1}px; }}
QToolButton:focus {{ padding: {max(px(4) - px(2) + 1, 0)}px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {c.quiet}; background: {c.window};
    border-color: {c.line}; }}
QPushButton#primary, QToolButton#primary, QPushButton:default {{ background: {c.accent};
    color: {c.on_accent}; border: 1px solid {c.accent}; }}
QToolButton#primary {{ border-radius: {px(9)}px; }}
QPushButton#primary:hover, QToolButton#primary:hover {{ background: {_mix(c.accent, c.text, 0.12)}; }}
QPushButton#primary:focus, QToolButton#primary:focus {{
    border: {px(2)}px solid {_mix(c.accent, c.text, 0.55)}; }}
QToolButton#primary:disabled {{ background: {c.faded}; border-color: {c.faded}; }}
QPushButton#flat, QToolButton#flat {{ background: transparent; border: 1px solid transparent;
    padding: {px(2)}px; }}
QPushButton#flat:hover, QToolButton#flat:hover {{ background: {c.hover}; }}
QToolButton#flat:checked {{ background: {c.raised}; border: 1px solid {c.accent}; }}
QPushButton#flat:focus, QToolButton#flat:focus {{ border: 1px solid {c.accent}; }}
QToolButton::menu-indicator {{ image: none; }}

QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit {{ background: {c.surface}; color: {c.text};
    border: 1px solid {c.line}; border-radius: {px(5)}px; padding: {px(2)}px {px(5)}px; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {{
    border-color: {c.accent}; }}
QLineEdit#value {{ background: transparent; border: 1px solid transparent; padding: 0px {px(3)}px; }}
QLineEdit#value:hover {{ background: {c.raised}; border-color: {c.line}; }}
QLineEdit#value:focus {{ background: {c.surface}; border-color: {c.accent}; }}
QLineEdit#value[wrong="true"] {{ border-color: {c.problem}; }}

QComboBox {{ background: {c.surface}; color: {c.text}; border: 1px solid {c.line}; border-radius: {px(6)}px;
    padding: {px(3)}px {px(6)}px {px(3)}px {px(9)}px; }}
QComboBox:hover {{ background: {c.hover}; }}
QComboBox:focus {{ border-color: {c.accent}; }}
QComboBox:disabled {{ color: {c.quiet}; }}
QComboBox::drop-down {{ border: none; width: {px(18)}px; }}
QComboBox::down-arrow {{ image: url("{chevron}"); width: {px(12)}px; height: {px(12)}px; }}
QComboBox QAbstractItemView, QMenu {{ background: {c.surface}; color: {c.text}; border: 1px solid {c.line};
    outline: none;
    padding: {px(3)}px; selection-background-color: {c.hover}; selection-color: {c.text}; }}
QComboBox QAbstractItemView::item {{ min-height: {px(24)}px; padding: 0px {px(6)}px;
    border-radius: {px(4)}px; }}
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {{
    background: {c.hover}; color: {c.text}; }}
QMenu::item {{ padding: {px(5)}px {px(18)}px {px(5)}px {px(10)}px; border-radius: {px(4)}px; }}
QMenu::item:selected {{ background: {c.hover}; }}
QMenu::item:disabled {{ color: {c.quiet}; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: {px(4)}px; }}

QCheckBox {{ spacing: {px(7)}px; }}
QCheckBox::indicator, QListView::indicator {{ width: {px(15)}px; height: {px(15)}px;
    border: 1px solid {c.quiet};
    border-radius: {px(4)}px; background: {c.surface}; }}
QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url("{tick}"); }}
QCheckBox::indicator:focus, QCheckBox::indicator:hover {{ border-color: {c.accent}; }}

QSlider::groove:horizontal {{ height: {px(4)}px; background: {c.line}; border-radius: {px(4) // 2}px; }}
QSlider::sub-page:horizontal {{ background: {c.accent}; border-radius: {px(4) // 2}px; }}
QSlider::handle:horizontal {{ width: {px(13)}px; height: {px(13)}px; margin: -{px(6)}px 0px;
    background: {c.surface};
    border: {px(2)}px solid {c.accent}; border-radius: {(px(13) + 2 * px(2)) // 2}px; }}
QSlider::handle:horizontal:hover {{ background: {c.hover}; }}
QSlider::handle:horizontal:focus {{ background: {c.accent}; }}
QProgressBar {{ background: {c.line}; border: none; border-radius: {px(3)}px; max-height: {px(6)}px;
    text-align: center; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: {px(3)}px; }}

QListView, QTreeView, QTableView {{ background: transparent; border: none; outline: none; }}
QListView::item {{ padding: {px(4)}px {px(8)}px; border-radius: {px(6)}px; }}
QListView::item:hover {{ background: {c.raised}; }}
QListView::item:selected {{ background: {c.raised}; color: {c.text};
    border-left: {px(3)}px solid {c.accent}; }}
QTextBrowser {{ background: transparent; border: none; padding: 0px; }}
QScrollArea, QAbstractScrollArea {{ background: transparent; border: none; }}
QPlainTextEdit#code {{ background: {c.surface}; border: 1px solid {c.line}; border-radius: 0px;
    padding: 0px; }}
QPlainTextEdit#code::corner {{ background: transparent; border: none; }}
QScrollArea > QWidget > QWidget#inside {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: {px(9)}px; margin: 0px; }}
QScrollBar:horizontal {{ background: transparent; height: {px(9)}px; margin: 0px; }}
QScrollBar::handle {{ background: {c.faded}; border-radius: {px(3)}px; margin: {px(1)}px; }}
QScrollBar::handle:vertical {{ min-height: {px(28)}px; }}
QScrollBar::handle:horizontal {{ min-width: {px(28)}px; }}
QScrollBar::handle:hover {{ background: {c.quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0px; height: 0px; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {c.hover}; }}
QToolTip {{ background: {c.text}; color: {c.surface}; border: 1px solid {c.text};
    padding: {px(4)}px {px(7)}px;
    font-family: Inter; font-size: {look.points * 0.95 if not look.projector else look.points:.2f}pt; }}
"""


def _mix(one: str, other: str, share: float) -> str:
    """``one`` with ``share`` of ``other`` mixed in, both ``#rrggbb``."""
    parts = (
        round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
