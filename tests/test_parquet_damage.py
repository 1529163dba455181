"""A damaged Parquet file is told as such: it must not end the process, which no handler could catch."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allocator.errors import InputError
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.parquet_files import read_parquet
from allocator.inputs.raw import TableQuery

EVERY_BYTE = """
import pyarrow as pa, pyarrow.parquet as pq
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.parquet_files import read_parquet
from allocator.inputs.raw import TableQuery

sink = pa.BufferOutputStream()
columns = {"asset_id": ["A", "B"], "amount": [1.0, 2.0], "kind": ["cash", "cash"], "layers": [1, 2]}
pq.write_table(pa.table(columns), sink, compression="none")
good = sink.getvalue().to_pybytes()
length = int.from_bytes(good[-8:-4], "little")
refused = 0
for place in range(len(good) - 8 - length, len(good) - 8):
    for turned in (1, 2, 0x10, 0x40):
        findings = ErrorCollector()
        spoiled = good[:place] + bytes([good[place] ^ turned]) + good[place + 1 :]
        refused += read_parquet(spoiled, "a.parquet", "", TableQuery("assets", bool), findings) is None
print(refused)
"""


def test_every_byte_of_the_footer_may_be_wrong() -> None:
    done = subprocess.run([sys.executable, "-c", EVERY_BYTE], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("others", [["A"], [f"A{number}" for number in range(2_000)]], ids=["classes", "names"])
def test_text_that_is_no_unicode_is_told(kind: pa.DataType, others: list[str]) -> None:
    for odd in (b"\xff", b"a\xe4", b"\x80a", b"a\xe4b"):
        spoiled = pa.array([*(text.encode() for text in others), odd], pa.binary()).view(pa.string())
        file = BytesIO()
        pq.write_table(pa.table({"asset_id": spoiled.cast(kind, safe=False)}), file)
        findings = ErrorCollector()
        assert read_parquet(file.getvalue(), "a.parquet", "", TableQuery("assets", bool), findings) is None
        with pytest.raises(InputError, match="cannot be read as Parquet"):
            findings.raise_if_any()
