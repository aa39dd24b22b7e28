"""What can happen to bytes and to text, whatever they mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

#: Bytes as no field expects them.
_EXTREMES = (b"\x00", b"\xff", b"\x80", b"\x7f", b"\x01")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
NUMBERS = (
    b"1e400", b"-1e400", b"NaN", b"Infinity", b"-1", b"-7.5", b"1" + b"0" * 30, b"9007199254740993", b"4294967295",
    b"4294967296", b"65536", b"18446744073709551616", b"0", b"1e-320", b"0.5", b"-0", b"007", b"3" * 400, b"3" * 5000,
    b"2147483648", b"-2147483649", b"1e308", b"1e39", b"1e18",
)  # fmt: skip
VALUES = (
    b"null", b"true", b"[]", b"{}", b'""', b'"x"', b'"\\ud800"', b'"\\u0000"', b"[[[]]]", b'{"a": 1}',
    b'"<b>=1+1</b>"', b'"1"', b'"\xff\xfe"', b"[" * 200 + b"]" * 200, b"[" * 20_000, b'{"a":' * 5_000,
)  # fmt: skip
_FIELD = re.compile(rb'"(\w+)": (-?[\d.]+)')
_JSON_VALUE = re.compile(rb'(?<=: )(?:"[^"]*"|[\d.eE+-]+|null|true|false)')


def cut(data: bytes, rng: Random) -> bytes:
    """The file ends early."""
    return data[: rng.randrange(len(data) + 1)]


def flip_bits(data: bytes, rng: Random) -> bytes:
    """One to eight bits are others."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8)) if data else 0):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def overwrite(data: bytes, rng: Random) -> bytes:
    """A stretch of zeros, of 0xff or of noise over what was there."""
    length = rng.choice((1, 2, 4, 8, 64, 1024))
    at = rng.randrange(len(data) + 1)
    noise = rng.randbytes(length) if rng.random() < 0.4 else rng.choice(_EXTREMES) * length
    return data[:at] + noise[: len(data) - at] + data[at + length :]


def insert(data: bytes, rng: Random) -> bytes:
    """Bytes too many."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 8, 100))) + data[at:]


def delete(data: bytes, rng: Random) -> bytes:
    """A stretch is missing."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 8, 100)) :]


def repeat(data: bytes, rng: Random) -> bytes:
    """A stretch stands somewhere else as well."""
    start, at = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
    return data[:at] + data[start : start + rng.choice((4, 64, 1024))] + data[at:]


_ANY: tuple[Callable[[bytes, Random], bytes], ...] = (cut, flip_bits, flip_bits, overwrite, insert, delete, repeat)


def damage(data: bytes, rng: Random) -> bytes:
    """One of the above, now and then several."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(_ANY)(data, rng)
    return data


def absurd_number(text: bytes, rng: Random) -> bytes:
    """One number of a text is another."""
    found = list(_NUMBER.finditer(text))
    return _replaced(text, rng.choice(found), rng.choice(NUMBERS)) if found else text


def absurd_field(text: bytes, rng: Random) -> bytes:
    """One to three numbers of a JSON text are others; every key is as likely, however seldom it comes."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = list(_FIELD.finditer(text))
        if found:
            key = rng.choice(sorted({field[1] for field in found}))
            field = rng.choice([field for field in found if field[1] == key])
            text = text[: field.start(2)] + rng.choice(NUMBERS) + text[field.end(2) :]
    return text


def wrong_value(text: bytes, rng: Random) -> bytes:
    """One value of a JSON text is of another kind."""
    found = list(_JSON_VALUE.finditer(text))
    return _replaced(text, rng.choice(found), rng.choice((*VALUES, *NUMBERS))) if found else text


def _replaced(text: bytes, place: re.Match[bytes], by: bytes) -> bytes:
    return text[: place.start()] + by + text[place.end() :]


def encoded_otherwise(text: bytes, rng: Random) -> bytes:
    """The same words in another encoding, with other line ends, or with bytes that are no text."""
    words = text.decode("latin-1")
    how = rng.randrange(8)
    if how < 3:
        return words.encode(("utf-16", "utf-16-be", "utf-32")[how])
    if how == 3:
        return b"\xef\xbb\xbf" + text
    if how == 4:
        return text.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x00\n")))
    if how == 5:
        return text.replace(rng.choice((b"a", b"e", b"0", b" ", b",", b'"')), rng.choice((b"\xe9", b"\x00", b"\xff")))
    at = rng.randrange(len(text) + 1)
    return text[:at] + b"\x00" * rng.choice((1, 3, 1000)) + text[at:]


def shuffled_lines(text: bytes, rng: Random) -> bytes:
    """Lines missing, repeated, in another order, cut or joined."""
    lines = text.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if not lines:
            break
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        how = rng.randrange(6)
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(other, lines[at])
        elif how == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif how == 3:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)] + b"\n" * rng.randrange(2)
        elif how == 4:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)] + lines[other]
        else:
            lines[at:other] = lines[at:other][::-1]
    return b"".join(lines)
