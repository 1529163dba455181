#!/bin/sh
# python-calamine 0.9.1 and openpyxl 3.1.5 read 0 for every figure of a workbook that was written and never opened.
#
# XlsxWriter 3.3.1 (like other writers) stores 0 as the result of each formula and asks Excel to compute when the file is
# opened. A holdings sheet of 5,000 lines whose market values are formulas, as position reports are made by scripts, reads
# as 5,000 zeros with a total of 0; pandas the same. Zero is a value here, not a missing one: nothing tells the two apart.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-calamine==0.9.1 openpyxl==3.1.5 xlsxwriter==3.3.1 pandas==3.1.0
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import openpyxl
import pandas as pd
import python_calamine
import xlsxwriter

LINES = 5000
with xlsxwriter.Workbook("positions.xlsx") as book:
    sheet = book.add_worksheet("positions")
    sheet.write_row(0, 0, ["instrument", "quantity", "price", "market value"])
    for line in range(1, LINES + 1):
        sheet.write_row(line, 0, [f"BOND{line:06d}", 1000.0, 101.5])
        sheet.write_formula(line, 3, f"=B{line + 1}*C{line + 1}/100")
    sheet.write_formula(LINES + 1, 3, f"=SUM(D2:D{LINES + 1})")
by_calamine = python_calamine.CalamineWorkbook.from_path("positions.xlsx").get_sheet_by_index(0).to_python()
by_openpyxl = list(openpyxl.load_workbook("positions.xlsx", data_only=True).active.values)
by_pandas = pd.read_excel("positions.xlsx")
print("market value of line 1 and total, calamine:", by_calamine[1][3], by_calamine[-1][3])
print("openpyxl:", by_openpyxl[1][3], by_openpyxl[-1][3], "pandas:", by_pandas["market value"].sum())
assert {row[3] for row in by_calamine[1:]} == {0.0}
assert {row[3] for row in by_openpyxl[1:]} == {0}
assert len(by_pandas) == LINES + 1 and by_pandas["market value"].notna().all() and by_pandas["market value"].sum() == 0
EOF
