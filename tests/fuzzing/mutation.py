"""Mutations that know nothing of formats, and those that know where the numbers of one lie."""

import json
import random
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Case = Mapping[str, bytes]
"""An input: from the names of files in a folder to their content."""

EDGES = (
    0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 31, 32, 33, 64, 127, 128, 255, 256, 257, 1000, 4096, 5000, 32767, 32768,
    65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, -1, -2, -(2**31),
)  # fmt: skip
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-300, 1e30, -1e38, 3.4e38, 1e308)
FLOATS = (*FLOATS, float("inf"), float("-inf"), float("nan"))
SMALL_FLOATS = tuple(value for value in FLOATS if not 1e39 < abs(value) < float("inf"))
VALUES: tuple[Any, ...] = (None, True, False, "", "x", "é\0", [], {}, [0], [[]], {"a": 1}, *EDGES[:20], *FLOATS)
LARGEST = 400_000


class Field(NamedTuple):
    """A number in a file: where it lies, how many bytes it has, and in which order."""

    offset: int
    size: int
    order: str = "little"


@dataclass(frozen=True)
class Structure:
    """What a mutation knows of a format.

    Parameters
    ----------
    fields : where numbers lie
    opened, closed : from the file to what fields lie in, and back: compression, checksums
    rewritten : other changes, from (content, random numbers) to the new content
    """

    fields: Callable[[bytes], Iterable[Field]] = lambda data: ()
    opened: Callable[[bytes], bytes] = bytes
    closed: Callable[[bytes], bytes] = bytes
    rewritten: Callable[[bytes, random.Random], bytes] | None = None


def mutated(case: Case, others: list[Case], structures: Mapping[str, Structure], chance: random.Random) -> Case:
    """The case with one of its files changed, at one to six places."""
    names = sorted(case)
    name = chance.choice(names)
    data = case[name]
    structure = next((structures[end] for end in structures if name.endswith(end)), Structure())
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        manner = chance.random()
        if manner < 0.55:
            data = _in_structure(data, structure, chance)
        elif manner < 0.62:
            other = chance.choice(others)
            data = _spliced(data, other.get(name) or chance.choice(list(other.values())), chance)
        else:
            data = _blindly(data, chance)
    if len(names) > 1 and chance.random() < 0.05:
        return {other: content for other, content in case.items() if other != name}
    return {**case, name: data[:LARGEST]}


def _in_structure(data: bytes, structure: Structure, chance: random.Random) -> bytes:
    if structure.rewritten is not None and chance.random() < 0.5:
        return structure.rewritten(data, chance)
    try:
        plain = structure.opened(data)
        fields = [each for each in structure.fields(plain) if each.offset + each.size <= len(plain)]
    except Exception:  # the structure is damaged already
        return _blindly(data, chance)
    if fields and chance.random() < 0.85:
        plain = with_number(plain, chance.choice(fields), chance)
    else:
        plain = _blindly(plain, chance)
    return structure.closed(plain)


def with_number(data: bytes, field: Field, chance: random.Random) -> bytes:
    """Another number in a field."""
    old = int.from_bytes(data[field.offset : field.offset + field.size], field.order)
    choices = (*EDGES, old + 1, old - 1, 2 * old, old // 2, old ^ 1 << chance.randrange(8 * field.size))
    value = chance.choice((*choices, chance.getrandbits(8 * field.size)))
    content = (value % 2 ** (8 * field.size)).to_bytes(field.size, field.order)
    if field.size in (4, 8) and chance.random() < 0.1:
        kind = ("<" if field.order == "little" else ">") + ("f" if field.size == 4 else "d")
        content = struct.pack(kind, chance.choice(SMALL_FLOATS if field.size == 4 else FLOATS))
    return data[: field.offset] + content + data[field.offset + field.size :]


def _blindly(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return chance.randbytes(chance.randrange(64))
    place = chance.randrange(len(data))
    length = chance.choice((1, 1, 2, 4, 8, 16, 64, 256))
    match chance.randrange(9):
        case 0 | 1:
            return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        case 2:
            return data[:place] + chance.randbytes(length) + data[place + length :]
        case 3:
            size = chance.choice((1, 2, 4, 8))
            return with_number(data, Field(place // size * size, size, chance.choice(("little", "big"))), chance)
        case 4:
            return data[:place]
        case 5:
            return data[:place] + data[place + length :]
        case 6:
            return data[:place] + data[place : place + length] * 2 + data[place + length :]
        case 7:
            block, rest = data[place : place + length], data[:place] + data[place + length :]
            target = chance.randrange(len(rest) + 1)
            return rest[:target] + block + rest[target:]
    return data[:place] + bytes(length) + data[place + length :]


def _spliced(data: bytes, other: bytes, chance: random.Random) -> bytes:
    if not data or not other:
        return data or other
    if chance.random() < 0.5:
        return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]
    place, start = chance.randrange(len(data)), chance.randrange(len(other))
    length = chance.randrange(1, 512)
    return data[:place] + other[start : start + length] + data[place + length :]


def json_rewritten(data: bytes, chance: random.Random) -> bytes:
    """A JSON document with a value changed, taken away, or doubled."""
    try:
        document = json.loads(data)
    except ValueError:
        return _blindly(data, chance)
    places = list(_places(document))
    if not places:
        return json.dumps(chance.choice(VALUES)).encode()
    holder, key = chance.choice(places)
    manner = chance.random()
    if manner < 0.1:
        del holder[key]
    elif manner < 0.2 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif manner < 0.3:
        holder[key] = [holder[key]]
    elif manner < 0.5 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = chance.choice(
            (holder[key] + 1, holder[key] * 2, -holder[key], holder[key] * 1000, holder[key] / 2)
        )
    elif manner < 0.6:
        other, second = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[second])) if second in other or isinstance(other, list) else None
    else:
        holder[key] = chance.choice(VALUES)
    return json.dumps(document).encode()


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


def words_rewritten(words: tuple[str, ...]) -> Callable[[bytes, random.Random], bytes]:
    """Texts with words of a language put in, taken away or exchanged."""

    def rewritten(data: bytes, chance: random.Random) -> bytes:
        word = chance.choice(words).encode()
        place = chance.randrange(len(data) + 1)
        stop = place + chance.choice((0, 0, 1, 3, 8))
        lines = data.split(b"\n")
        if len(lines) > 1 and chance.random() < 0.2:
            lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
            return b"\n".join(lines)
        return data[:place] + word + data[stop:]

    return rewritten
