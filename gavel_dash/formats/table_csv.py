"""DataFrames as CSV that pandas reads back without arguments and a spreadsheet cannot execute."""

from __future__ import annotations

import pandas as pd

#: First characters that make a spreadsheet treat a text cell as a formula (OWASP, "CSV injection"); some programs take
#: the full-width ones for these, and look past the end of a line.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def _neutralize(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    marked = "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
    # A lone carriage return is left unquoted by the CSV writer and would end the row for its readers.
    return marked.replace("\r\n", "\n").replace("\r", "\n")


def write_table_csv(frame: pd.DataFrame) -> str:
    """Render a table as CSV: header with units in the column names, no index, Unix line ends.

    Floats are written in the shortest form that reads back to the same number; text cells that begin like a
    spreadsheet formula get a leading apostrophe; missing values are empty. Numbers are never touched.
    """
    text = frame.copy()
    for name in text.columns:
        if not (pd.api.types.is_numeric_dtype(text[name]) or pd.api.types.is_bool_dtype(text[name])):
            text[name] = text[name].map(_neutralize)
    text.columns = pd.Index([str(_neutralize(str(name))) for name in text.columns])
    return text.to_csv(index=False, lineterminator="\n")
