"""Fetching politely: a slow pace, patience with a busy server, and never the same thing twice.

Every response lies on disk under the hash of its request, so a rerun works without a network and gives the
same bytes. Who asks (address, key) is sent but is no part of the request, and is never written down.
"""

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from clinragen import __version__
from clinragen.errors import KnowledgeError
from clinragen.store import read_json, write_json

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
ATTEMPTS = 6
TIMEOUT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 120.0

Read = TypeVar("Read")


class BusyError(Exception):
    """A server says, in whatever form, that it will answer later."""


class Fetched(NamedTuple):
    """A response, and the day on which it was fetched."""

    body: str
    day: str


@dataclass
class Web:
    """One polite client of one server.

    `cache` is where responses are kept, `who` the parameters that tell who asks, `first_wait` the seconds
    before the first retry (doubled for each further one, unless the server names a time).
    """

    cache: Path
    per_second: float
    email: str = ""
    who: Mapping[str, str] = field(default_factory=dict)
    first_wait: float = 1.0
    counts: dict[str, int] = field(default_factory=lambda: {"fetched": 0, "cached": 0, "retried": 0})
    _last: float = float("-inf")

    def get(
        self, url: str, parameters: Mapping[str, str], read: Callable[[str], Read]
    ) -> tuple[Read, Fetched]:
        """What `read` makes of a response, and the response; only one that can be read is kept.

        `read` raises BusyError to be asked again later, and KnowledgeError where asking again would not help.
        """
        kept = self.cache / urlsplit(url).netloc.replace(":", "-") / f"{_key(url, parameters)}.json"
        if kept.exists():
            self.counts["cached"] += 1
            was = read_json(kept)
            fetched = Fetched(was["body"], was["retrieved"])
            return read(fetched.body), fetched
        found, fetched = self._patiently(url, parameters, read)
        write_json(
            kept,
            {"url": url, "parameters": dict(parameters), "retrieved": fetched.day, "body": fetched.body},
        )
        return found, fetched

    def _patiently(
        self, url: str, parameters: Mapping[str, str], read: Callable[[str], Read]
    ) -> tuple[Read, Fetched]:
        """Ask until there is an answer; a server that stays busy or silent ends the step, not the cache."""
        asked = f"{url}?{urllib.parse.urlencode({**parameters, **self.who})}"
        trouble = ""
        for attempt in range(ATTEMPTS):
            named_wait: float | None = None
            try:
                body = self._once(asked)
                return read(body), Fetched(body, datetime.now(UTC).date().isoformat())
            except urllib.error.HTTPError as fault:
                if fault.code not in RETRIED:
                    raise _refused(url, fault.code) from None
                trouble, named_wait = f"status {fault.code}", _seconds_named(fault.headers.get("Retry-After"))
            except (BusyError, urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as fault:
                trouble = f"{type(fault).__name__}: {fault}"
            if attempt < ATTEMPTS - 1:
                self.counts["retried"] += 1
                wait = self.first_wait * 2**attempt if named_wait is None else named_wait
                time.sleep(min(wait, LONGEST_WAIT_SECONDS))
        raise KnowledgeError(
            f"{_host(url)} gives no answer",
            expected=f"an answer within {ATTEMPTS} attempts",
            found=trouble,
            fix="run again later: what was fetched is kept, and needs no network",
        )

    def _once(self, asked: str) -> str:
        """One request, no sooner than the pace allows after the last one ended."""
        time.sleep(max(0.0, self._last + 1 / self.per_second - time.monotonic()))
        request = urllib.request.Request(asked, headers={"User-Agent": self._name()})
        self.counts["fetched"] += 1
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                body: bytes = response.read()
            return body.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise BusyError(f"a response that is not UTF-8 ({fault.reason})") from None
        finally:
            self._last = time.monotonic()

    def _name(self) -> str:
        return f"clinragen/{__version__} (mailto:{self.email})" if self.email else f"clinragen/{__version__}"


def _key(url: str, parameters: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([url, sorted(parameters.items())]).encode()).hexdigest()[:32]


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _refused(url: str, status: int) -> KnowledgeError:
    return KnowledgeError(
        f"{_host(url)} refuses the request",
        found=f"status {status}",
        fix="check the addresses in the section [knowledge] of the recipe",
    )


def _seconds_named(retry_after: str | None) -> float | None:
    """The wait that a server asks for, which it may tell in seconds or as a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
