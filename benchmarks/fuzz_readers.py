"""Damaged files: every source reads them, refuses them with one clear error, or quarantines and counts.

Takes the miniatures of the tests, damages one file of one of them (bytes flipped, cut, doubled, moved;
quotes, delimiters and encodings broken; text for numbers; columns gone; compressed files cut off) and ingests
it. Whatever is not a success or an error of our own is a fault, and told with the seed that makes it again.

    python benchmarks/fuzz_readers.py [FILES] [FIRST_SEED]
"""

import gzip
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / folder) for folder in ("ehr", "")]

from ingesting import ingest  # noqa: E402
from raw_miniatures import MINIATURES  # noqa: E402

from clinragen.errors import ClinragenError  # noqa: E402

FILES = 10_000
KINDS = sorted(set(MINIATURES) - {"synthetic"})
Damage = Callable[[bytes, random.Random], bytes]


def _cut(text: bytes, rng: random.Random) -> bytes:
    return text[: rng.randrange(len(text) + 1)]


def _flip(text: bytes, rng: random.Random) -> bytes:
    found = bytearray(text)
    for _ in range(rng.randrange(1, 8)):
        if found:
            found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def _doubled(text: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    return text[:last] + text[first:]


def _dropped(text: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    return text[:first] + text[last:]


def _inserted(text: bytes, rng: random.Random) -> bytes:
    pieces = (
        b'"',
        b",",
        b"\n",
        b";",
        b"\t",
        b"\x00",
        b"\xff\xfe",
        b"NaN",
        b"-1",
        b"1e999",
        b"abc",
        b"\r\n",
        b'""',
    )
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(pieces) * rng.randrange(1, 4) + text[at:]


def _exchanged(text: bytes, rng: random.Random) -> bytes:
    pairs = (
        (b",", b";"),
        (b",", b"\t"),
        (b"-", b"/"),
        (b"\n", b"\r"),
        (b"1", b"one"),
        (b'"', b"'"),
        (b"2130", b"9130"),
    )
    return text.replace(*rng.choice(pairs))


def _encoded(text: bytes, rng: random.Random) -> bytes:
    return text.decode("utf-8", "replace").encode(
        rng.choice(("utf-16", "utf-32", "utf-8-sig", "cp037")), "replace"
    )


def _shuffled(text: bytes, rng: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


def _emptied(_: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"\n", b"x", b"{}", b"a,b\n"))


def _cells(text: bytes, rng: random.Random) -> bytes:
    """One field of some lines becomes another."""
    lines = text.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(lines))
        cells = lines[place].split(b",")
        cells[rng.randrange(len(cells))] = rng.choice(
            (b"", b"x", b"-9", b"0", b"1e400", b"2130-13-45", b"\xc3\xa9")
        )
        lines[place] = b",".join(cells)
    return b"\n".join(lines)


DAMAGES: tuple[Damage, ...] = (
    _cut, _flip, _doubled, _dropped, _inserted, _exchanged, _encoded, _shuffled, _emptied, _cells,
)  # fmt: skip


def damage(folder: Path, rng: random.Random) -> str:
    """Damage one file; tell how."""
    path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    how = rng.choice(DAMAGES)
    raw = path.read_bytes()
    if path.suffix == ".gz" and rng.random() < 0.7:
        path.write_bytes(gzip.compress(how(gzip.decompress(raw), rng)))
    elif path.suffix == ".csv" and rng.random() < 0.2:
        cut = gzip.compress(raw)
        path.with_suffix(".csv.gz").write_bytes(how(cut, rng))
        path.unlink()
    else:
        path.write_bytes(how(raw, rng))
    return f"{path.name} {how.__name__[1:]}"


def one(seed: int, miniatures: Path, folder: Path) -> str:
    """What becomes of one damaged folder: read, refused, or a fault with its traceback."""
    rng = random.Random(seed)
    kind = rng.choice(KINDS)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(miniatures / kind, folder / "raw")
    told = damage(folder / "raw", rng)
    try:
        counts = ingest(kind, folder / "raw", folder, shards=1)
        return "read, some rows quarantined" if counts["quarantined"] else "read whole"
    except ClinragenError:
        return "refused with one clear error"
    except BaseException:
        print(f"seed {seed}: {kind} {told}\n{traceback.format_exc()}", flush=True)
        return "FAULT"


def main(files: int, first: int) -> int:
    """Print how many of each outcome there were; the exit status is the number of faults."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for kind in KINDS:
            MINIATURES[kind](Path(place) / kind)
        for seed in range(first, first + files):
            outcomes[one(seed, Path(place), Path(place) / "work")] += 1
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:7,}  {outcome}")
    return min(outcomes["FAULT"], 100)


if __name__ == "__main__":
    asked = [int(each) for each in sys.argv[1:]]
    raise SystemExit(main(*(asked + [FILES, 0][len(asked) :])))
