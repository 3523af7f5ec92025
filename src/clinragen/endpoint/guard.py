"""The guard: patient data leaves this machine only on purpose."""

import ipaddress
import logging
from urllib.parse import urlsplit

from clinragen.endpoint.question import Endpoint
from clinragen.errors import EndpointError

_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})
_TALKATIVE = ("openai", "httpx", "httpx2", "httpcore", "httpcore2")


def permit(endpoint: Endpoint, credentialed: bool, agreement: str) -> None:
    """Raise EndpointError where settings are missing, or patient text would leave without an agreement."""
    for name, value in (("endpoint", endpoint.url), ("model", endpoint.model)):
        if not value:
            raise EndpointError("no endpoint to ask is named", fix=f"set {endpoint.section}.{name}")
    if credentialed and not agreement.strip() and not is_loopback(endpoint.url):
        raise EndpointError(
            "credentialed records may not be sent to this endpoint",
            expected=f"an endpoint on this machine, or {endpoint.section}.agreement naming the agreement "
            "that permits it",
            found=f"{endpoint.section}.endpoint = {urlsplit(endpoint.url).hostname}",
            fix="serve the model on this machine, or name the agreement (docs/data-access.md)",
        )


def is_loopback(url: str) -> bool:
    """Whether an endpoint lies on this machine by its very address; other names are not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return host in _LOCAL_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hush() -> None:
    """Keep the libraries that send from logging what they send, whatever level was asked of them."""
    named = [
        name
        for name in logging.root.manager.loggerDict
        if name.split(".")[0] in _TALKATIVE and logging.getLogger(name).level
    ]
    for name in (*_TALKATIVE, *named):
        logging.getLogger(name).setLevel(logging.WARNING)
