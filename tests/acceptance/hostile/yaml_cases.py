"""Hostile fund files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .cases import GOOD_FUND, Case

__all__ = ["yaml_cases"]

SCALARS = (
    *(".nan", ".inf", "-.inf", "1e400", "-1e400", "1e-400", "0x10", "0o17", "1_000", "-1", "0", "999999999999999999999"),
    *("null", "~", "true", "[]", "{}", "[1, [2, [3]]]", "{a: {b: c}}", '""', "'\\0'", '"\\u202e"', "2026-13-45", "12:30:45"),
    *("=1+1", "@x", "!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!binary aGk=", "!custom x"),
    *("&a [*a]", "*nothing", "|\n  text", "'" + "x" * 5000 + "'", "../../../etc/passwd", "/dev/zero", "~/x", "$HOME", "`id`"),
)  # fmt: skip
PLACES = (
    *("fund: {name: V, as_of: 2026-06-30}", "fund: {name: F, as_of: V}", "fund: {name: F, as_of: 2026-06-30, unit: V}"),
    *("inputs: {assets: V}", "inputs: V", "objective: V", "objective: {maximize: V}", "constraints: V", "solve: {gap: V}"),
    *("solve: {time_limit: V}", "solve: {solver: V}", "tilts: V", "capital: V", "accounts: V", "plugins: {enable: V}"),
    *("balance_sheet: {total_assets: V}", "constraints: [turnover: {max: V}]", "constraints: [limit: {rule: V}]"),
    *("objective: {maximize: expected_return, risk: {aversion: V}}", "models: {returns: V}", "V: 1", "language: V"),
)  # fmt: skip
NEVER = ("!!python", "!!binary", "!custom", "&a", "*nothing")
"""Beginnings of scalars that no place may take."""


def _bomb(width: int, depth: int) -> str:
    lines = [f"a0: &a0 [{', '.join('x' * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(lines) + "\n"


WHOLE: tuple[tuple[str, bytes, bool], ...] = (
    ("empty", b"", False),
    ("blank", b"\n\n  \n", False),
    ("comment alone", b"# nothing\n", False),
    ("a list", b"- 1\n- 2\n", False),
    ("a word", b"fund\n", False),
    ("two documents", GOOD_FUND.encode() + b"---\nfund: {}\n", False),
    ("alias bomb", _bomb(10, 12).encode() + GOOD_FUND.encode(), False),
    ("wide alias bomb", _bomb(200, 6).encode() + GOOD_FUND.encode(), False),
    ("merge-key bomb", b"a: &a {x: 1}\nb: &b {<<: [*a, *a]}\n" + GOOD_FUND.encode(), False),
    ("deep list", b"a: " + b"[" * 20000 + b"]" * 20000 + b"\n", False),
    ("deep map", b"a: " + b"{b: " * 5000 + b"1" + b"}" * 5000 + b"\n", False),
    ("deep indent", b"".join(b" " * n + b"a:\n" for n in range(3000)), False),
    ("repeated key", GOOD_FUND.encode() + b"solve: {gap: 1bp}\n", False),
    ("tab indent", b"fund:\n\tname: F\n", False),
    ("NUL bytes", GOOD_FUND.encode().replace(b"F,", b"F\0,"), False),
    ("control characters", GOOD_FUND.encode().replace(b"F,", b"F\x07,"), False),
    ("UTF-8 with mark", b"\xef\xbb\xbf" + GOOD_FUND.encode(), True),
    ("UTF-16", GOOD_FUND.encode("utf-16"), True),
    ("UTF-32", GOOD_FUND.encode("utf-32"), True),
    ("GBK", GOOD_FUND.replace("name: F", "name: 基金").encode("gbk"), True),
    ("CRLF", GOOD_FUND.replace("\n", "\r\n").encode(), True),
    ("CR alone", GOOD_FUND.replace("\n", "\r").encode(), True),
    ("broken UTF-8", GOOD_FUND.encode().replace(b"F,", b"\xff\xfe\xfa,"), False),
    ("a million keys", b"".join(b"k%d: 1\n" % n for n in range(100_000)), False),
    ("one line of a megabyte", b"fund: {name: " + b"x" * 1_000_000 + b", as_of: 2026-06-30}\n", False),
    ("unclosed quote", GOOD_FUND.encode().replace(b"name: F", b"name: 'F"), False),
    ("unclosed bracket", GOOD_FUND.encode().replace(b"unit: 1}", b"unit: 1"), False),
    ("a workbook by name", b"PK\x03\x04" + b"\0" * 100, False),
    ("an image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, False),
    ("directive", b"%YAML 9.9\n---\n" + GOOD_FUND.encode(), False),
    ("tag directive", b"%TAG ! tag:example.com,2000:\n---\n!x {a: 1}\n", False),
    ("complex key", GOOD_FUND.encode() + b"? [a, b]\n: 1\n", False),
    ("a key that is no text", GOOD_FUND.encode() + b"1: 2\n", False),
    (
        "a password at the wrong place",
        GOOD_FUND.encode() + b"registr: postgresql://u:s3cret@h/d?password=s3cret\n",
        False,
    ),
    ("a password for a list", GOOD_FUND.encode() + b"register: ['postgresql://u:s3cret@h/d']\n", False),
    ("a password for a number", GOOD_FUND.replace("0.1bp", "postgresql://u:s3cret@h/d").encode(), False),
    ("a password for a file", GOOD_FUND.replace("assets.csv", "postgresql://u:s3cret@h/d").encode(), False),
    ("a limit of nothing", GOOD_FUND.encode() + b"unpack_limit: -1\n", False),
    ("a null key", GOOD_FUND.encode() + b"null: 2\n", False),
)


def yaml_cases() -> Iterator[Case]:
    """Yield every scalar in every place, and files hostile as a whole."""
    for name, content, may_pass in WHOLE:
        yield Case(name, lambda folder, content=content: _write(folder, content), may_pass)
    for place in PLACES:
        section = place.split(":", 1)[0]
        rest = "\n".join(_sections()[key] for key in _sections() if key != section)
        for scalar in SCALARS:
            text = f"{rest}\n{place.replace('V', scalar, 1)}\n"
            yield Case(
                f"{place} ← {scalar[:40]}",
                lambda folder, text=text: _write(folder, text.encode()),
                not scalar.startswith(NEVER),
            )


def _sections() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in GOOD_FUND.splitlines():
        key = line.split(":", 1)[0] if not line.startswith(" ") else next(reversed(found))
        found[key] = f"{found[key]}\n{line}" if line.startswith(" ") else line
    return found


def _write(folder: Path, content: bytes) -> None:
    (folder / "fund.yaml").write_bytes(content)
