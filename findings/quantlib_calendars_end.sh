#!/bin/sh
# QuantLib 1.44 answers for exchange and interbank calendars of Asia after their last year, and nothing marks the answers.
#
# Holidays that follow the moon are tables that end. China's interbank market has 19 weekday holidays in 2026, one in 2027
# and none in 2028; Hong Kong, India, Taiwan and Indonesia lose two thirds or more of theirs. A schedule of a 10-year bond
# rolls over days that are holidays, and isBusinessDay says "yes" for 8 February 2027, in the week of the Spring Festival.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check QuantLib==1.44
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import QuantLib as ql


def holidays(calendar, year):
    """Return the weekdays of a year that are no business days."""
    days = (ql.Date(1, 1, year) + k for k in range(365))
    return sum(1 for day in days if day.weekday() not in (1, 7) and not calendar.isBusinessDay(day))


calendars = {
    "China, interbank": ql.China(ql.China.IB),
    "China, Shanghai": ql.China(ql.China.SSE),
    "Hong Kong": ql.HongKong(),
    "India": ql.India(),
    "Taiwan": ql.Taiwan(),
    "Indonesia": ql.Indonesia(),
}
seen = {name: [holidays(calendar, year) for year in (2025, 2026, 2027, 2028)] for name, calendar in calendars.items()}
for name, counts in seen.items():
    print(f"{name}: weekday holidays 2025 to 2028 {counts}")
assert seen["China, interbank"] == [18, 19, 1, 0]
assert seen["China, Shanghai"][2:] == [1, 0]
assert seen["Hong Kong"] == [15, 14, 5, 6]
assert seen["India"] == [15, 20, 3, 6]
assert seen["Taiwan"] == [15, 15, 1, 3]
assert seen["Indonesia"] == [24, 22, 5, 6]
festival = ql.Date(8, 2, 2027)
assert calendars["China, interbank"].isBusinessDay(festival)
print("8 February 2027 is said to be a business day of the Chinese interbank market")
EOF
