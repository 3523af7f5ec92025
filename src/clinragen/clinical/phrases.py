"""One pattern for very many phrases: common beginnings are written once, so that a search stays fast."""

import re
from collections.abc import Iterable
from typing import Any

_END = ""


def any_phrase(phrases: Iterable[str]) -> str:
    """A pattern of any of the phrases, the longest first; a blank matches any blanks."""
    root: dict[str, Any] = {}
    for phrase in phrases:
        node = root
        for char in phrase:
            node = node.setdefault(char, {})
        node[_END] = {}
    return _pattern(root)


def _pattern(node: dict[str, Any]) -> str:
    branches = [_branch(char, node[char]) for char in sorted(node) if char != _END]
    if not branches:
        return "" if _END in node else "(?!)"
    joined = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{joined})?" if _END in node else joined


def _branch(char: str, node: dict[str, Any]) -> str:
    return (r"\s+" if char == " " else re.escape(char)) + _pattern(node)
