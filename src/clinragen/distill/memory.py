"""Keep memory that was used once: to hand large tensors back and get new ones costs a third of a step."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Settings of the C library's `mallopt`, numbered as glibc numbers them."""
_NEVER, _AT_ONCE = 2**31 - 1, 2**28


def hold_memory() -> bool:
    """Let this process keep what it frees; True where the C library can be told so (glibc's).

    By default every tensor above 32 MB is mapped and unmapped on its own, and the system clears its pages.
    """
    if not sys.platform.startswith("linux"):
        return False
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is None:
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AT_ONCE))
    return all(tune(name, value) == 1 for name, value in settings)
