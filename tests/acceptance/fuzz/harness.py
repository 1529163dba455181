"""Fuzzes one target for some seconds: ``python -m tests.acceptance.fuzz.harness TARGET SECONDS FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

HANG = 10
MEBIBYTES = 1024


def main(name: str, seconds: str, place: Path) -> None:
    with atheris.instrument_imports(include=["allocator", "allocator_eligibility", "yaml", "openpyxl"]):
        from allocator.errors import InputError

        from .targets import LARGEST, TARGETS

        target = TARGETS[name]

        def once(content: bytes) -> None:
            try:
                target.read(content)
            except InputError as error:
                assert error.problems
                for problem in error.problems:
                    problem.render("zh")

        seeds = list(target.seeds())
        for seed in seeds[:5]:
            once(seed)  # what is imported when first used is then watched as well
    corpus = place / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
    told = [f"-artifact_prefix={place}/", "-print_final_stats=1", "-seed=1"]
    words = place / "words"
    escaped = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in target.words.split()]
    words.write_text("".join(f'"{word}"\n' for word in escaped), encoding="utf-8")
    told += [f"-dict={words}"] if escaped else []
    limits = [f"-max_total_time={seconds}", f"-timeout={HANG}", f"-rss_limit_mb={MEBIBYTES}", f"-max_len={LARGEST}"]
    atheris.Setup([sys.argv[0], *limits, *told, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
