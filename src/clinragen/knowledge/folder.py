"""A folder of texts that are already here: .txt, .md and .pdf, guidelines of one's own hospital say.

A file that cannot be read is set aside with the reason and counted; it never ends the step.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from clinragen.errors import KnowledgeError
from clinragen.knowledge.imported import Imported, Importing, Rejected
from clinragen.schema import Document


def read(importing: Importing) -> Imported:
    """Every readable file below the folder, in the order of their paths."""
    folder, licence = Path(importing.settings.folder), importing.settings.folder_licence
    if not folder.is_dir():
        raise KnowledgeError(f"no folder {folder}", fix="set knowledge.folder to a folder of documents")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    documents: dict[str, Document] = {}
    rejected: list[Rejected] = []
    counts: Counter[str] = Counter()
    for done, path in enumerate(paths):
        importing.progress("files", done, len(paths))
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in _READERS:
            counts["files of other kinds"] += 1
            continue
        try:
            document = _document(name, path, licence)
            documents.setdefault(document.document_id, document)
        except _UnreadableError as fault:
            rejected.append(Rejected("folder", f"folder/{name}", f"unreadable: {fault}"))
    return Imported(documents=tuple(documents.values()), rejected=tuple(rejected), counts=counts)


class _UnreadableError(Exception):
    """A file whose text cannot be had."""


def _document(name: str, path: Path, licence: str) -> Document:
    content = path.read_bytes()
    text = _READERS[path.suffix.lower()](path, content).strip()
    if not text:
        raise _UnreadableError("no text in it")
    mark = hashlib.sha256(content).hexdigest()[:12]
    title = text.splitlines()[0].lstrip("# ").strip()[:120] or path.stem
    return Document(
        document_id=f"folder/{name}@{mark}",
        source="folder",
        title=title,
        text=text,
        citation=f"{title} (file {name}, SHA-256 {mark})",
        url="",
        licence=licence,
        retrieved=None,
    )


def _plain(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        raise _UnreadableError(f"not UTF-8 ({fault.reason})") from None


def _pdf(path: Path, content: bytes) -> str:
    """The text of a PDF, page after page; pypdf raises whatever a broken file leads it to."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        return "\n\n".join(page.extract_text() for page in PdfReader(path).pages)
    except Exception as fault:
        raise _UnreadableError(f"{type(fault).__name__}: {str(fault)[:120]}") from None


_READERS: Mapping[str, Callable[[Path, bytes], str]] = {".txt": _plain, ".md": _plain, ".pdf": _pdf}
