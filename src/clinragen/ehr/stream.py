"""A raw table as a stream of chunks of whole records, so that memory does not grow with the table.

Text is decompressed on one thread, cut where a record ends (a note may hold line breaks within its quotes)
and parsed on another, every field as text, while whoever asked works on the chunk before. Parquet comes in
batches.
"""

import gzip
import queue
import threading
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl
import pyarrow.parquet as pq

try:
    from isal import igzip, isal_zlib

    _damaged: Any = isal_zlib.error
except ImportError:
    igzip, _damaged = None, zlib.error

DAMAGED: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, _damaged)
"""What reading a file raises that is cut off or damaged; with isal it is decompressed twice as fast."""

CHUNK_BYTES = 16 * 2**20
"""Of text, before it is parsed; a record may be longer."""
BATCH_ROWS = 250_000
"""Of a Parquet file."""
TAB = "\t"
Buffer = bytes | memoryview
AHEAD = 1
"""Blocks that may wait for the parser, and chunks that may wait for whoever asked for them."""

Item = TypeVar("Item")


def chunks(
    path: Path, columns: list[str], size: int | None = None, is_plain: bool = False
) -> Iterator[pl.DataFrame]:
    """The columns of a file as text, chunk by chunk in the order of the file; one at least.

    Quotes mean nothing where tabs separate and the file `is_plain`. Raises what the file's reader raises
    where it is cut off or no text.
    """
    size = size or CHUNK_BYTES
    if path.name.lower().endswith(".parquet"):
        return ahead(_batches(path, columns, size))
    return ahead(_parsed(path, columns, size, is_plain))


def _parsed(path: Path, columns: list[str], size: int, is_plain: bool) -> Iterator[pl.DataFrame]:
    head, separator = b"", separator_of(path)
    quote = None if is_plain and separator == TAB else '"'
    for text in whole_records(ahead(_blocks(path, size)), (quote or "").encode()):
        rows = pl.read_csv(
            b"".join((head, *text)),
            infer_schema=False,
            columns=columns,
            separator=separator,
            quote_char=quote,
        )
        head = head or b"".join(text).partition(b"\n")[0] + b"\n"
        yield rows.select(columns)


def separator_of(path: Path) -> str:
    """What separates the columns of a text file, by its first line: a comma, or tabs where it has none."""
    with opened(path) as file:
        first = file.readline()
    return TAB if b"\t" in first and b"," not in first else ","


def whole_records(blocks: Iterator[bytes], quote: bytes = b'"') -> Iterator[tuple[Buffer, ...]]:
    """Blocks cut anew where a record ends, at a line break outside quotes; each as its pieces, uncopied."""
    rest: list[Buffer] = []
    quotes = 0
    for block in blocks:
        quotes += block.count(quote) if quote else 0
        at, within = len(block), quotes
        while (found := block.rfind(b"\n", 0, at)) >= 0:
            within -= block.count(quote, found, at) if quote else 0
            if within % 2 == 0:
                break
            at = found
        if found < 0:
            rest.append(block)
            continue
        view = memoryview(block)
        yield *rest, view[: found + 1]
        rest = [view[found + 1 :]]
    if any(map(len, rest)):
        yield tuple(rest)


def _batches(path: Path, columns: list[str], size: int) -> Iterator[pl.DataFrame]:
    rows = max(1, min(BATCH_ROWS, size // 64))
    with pq.ParquetFile(path) as file:
        batches = (
            cast(pl.DataFrame, pl.from_arrow(batch)) for batch in file.iter_batches(rows, columns=columns)
        )
        found = False
        for batch in batches:
            found = True
            yield batch.select(pl.col(name).cast(pl.String) for name in columns)
        if not found:
            yield pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with opened(path) as file:
        while block := file.read(size):
            yield block


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each got on a thread of its own before it is asked for; what is raised there, here."""
    waiting: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(AHEAD)
    stop = threading.Event()

    def get() -> None:
        try:
            for item in items:
                waiting.put((item, None))
                if stop.is_set():
                    return
            waiting.put((None, StopIteration()))
        except BaseException as fault:
            waiting.put((None, fault))

    threading.Thread(target=get, daemon=True).start()
    try:
        while True:
            item, fault = waiting.get()
            if isinstance(fault, StopIteration):
                return
            if fault is not None:
                raise fault
            yield cast(Item, item)
    finally:
        stop.set()
        while not waiting.empty():
            waiting.get_nowait()


def opened(path: Path) -> BufferedIOBase:
    """A file as plain bytes; the faster reader of compressed ones where it is installed."""
    if not path.name.lower().endswith(".gz"):
        return path.open("rb")
    found: BufferedIOBase = (igzip or gzip).open(path, "rb")
    return found
