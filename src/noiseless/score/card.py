"""What our safetensors files say in their header, beside the arrays."""

import json
from typing import Any


def card_of(content: bytes, key: str) -> Any:
    """The JSON value under ``key`` in the metadata of a safetensors file, from its bytes.

    Raises
    ------
    KeyError, TypeError, ValueError : the header has no such entry, or is none.
    """
    # The format: eight bytes of length, then a JSON header that holds the metadata.
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"][key])
