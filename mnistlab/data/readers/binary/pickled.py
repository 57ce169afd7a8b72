"""Pickles, which are never opened, since they can run any program: the line that converts one.

A dict's line names its keys, which are looked for in the bytes of the file.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data.readers import content, kinds
from mnistlab.data.readers.binary.named_arrays import IMAGE_WORDS, LABEL_WORDS

# A protocol from 2 on says so in its first bytes; older ones begin with a list, dict or array.
START = re.compile(rb"\x80[\x02-\x05][^\x00]|\(?[dl]p[0-9]+\n|\(?c(copy_reg|copyreg|numpy)[\w.]*\n")
DICT = re.compile(rb"\x80[\x02-\x05](\x95.{8})?}|\(?d", re.DOTALL)
# How a short text begins: that of Python 2 and bytes of Python 3, then texts of Python 3.
BYTES, TEXTS = (b"U%c", b"T%c\0\0\0", b"C%c", b"B%c\0\0\0"), (b"X%c\0\0\0", b"\x8c%c")
CODECS = b"_codecs\n"  # bytes of Python 3 in protocol 2 look like texts
IMAGES = (*(word for word in IMAGE_WORDS if len(word) > 1), "X", "x")
LABELS = ("fine_labels", *(word for word in LABEL_WORDS if len(word) > 1), "y", "Y")
OF_CIFAR = "batch_label"
MAX_CHUNKS = 8  # of the file that are looked at


def words(path: Path, start: bytes) -> str:
    """What a pickle that begins with `start` is, and the line that converts it."""
    name = kinds.shown_name(path)
    said = kinds.REFUSED[".pkl"].format(name=name)
    packed = content.start_of(path, 3)
    module = "gzip." * packed.startswith(content.GZIP) + "bz2." * packed.startswith(content.BZIP2)
    loading = f"pickle.load({module}open({name!r}, 'rb')"
    if not DICT.match(start):
        return said.replace(f"pickle.load(open({name!r}, 'rb')", loading)
    return f"{said.partition(': ')[0]}: d = {loading}, encoding='bytes'); {_saving(path)}"


def _saving(path: Path) -> str:
    """The line that saves the images and labels of a dict."""
    raw = b"".join(itertools.islice(content.chunks(path), MAX_CHUNKS))
    images, labels = _found(raw, IMAGES), _found(raw, LABELS)
    if images is None or labels is None:
        return "print(d.keys()); np.savez('set.npz', images=d[...], labels=d[...])"
    colours = ".reshape(-1, 3, 32, 32)" if _found(raw, (OF_CIFAR,)) else ""
    return f"np.savez('set.npz', images={images}{colours}, labels={labels})"


def _found(raw: bytes, keys: Sequence[str]) -> str | None:
    """How the first of the keys that occurs is taken from the dict; None where none does."""
    for key in keys:
        text = key.encode()
        of_bytes, of_texts = (
            any(form % len(text) + text in raw for form in forms) for forms in (BYTES, TEXTS)
        )
        if of_bytes:
            return f"d[{text!r}]"
        if of_texts:
            return f"d.get({key!r}, d.get({text!r}))" if CODECS in raw else f"d[{key!r}]"
    return None
