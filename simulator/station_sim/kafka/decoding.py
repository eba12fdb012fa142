"""Requests out of bytes: a decoder for each kind and version, made from kafka-python's schemas.

kafka-python's own decoders trust what they read, for they are made for answers of brokers. These
fill the same classes and refuse what Apache Kafka refuses: numbers that do not end, sizes beyond
the frame, null where the schema has none. They never allocate by what a frame claims, and how much
they do is bounded by `ELEMENTS_MAX`. As in Java, bytes that are no UTF-8 read as U+FFFD.

A decoder is Python source, compiled when first asked for: the two hot kinds, Produce and Fetch,
could not afford a call for each field. Headers are read in `dispatch.py`.
"""

from collections.abc import Callable
from functools import cache
from struct import Struct
from typing import Any
from uuid import UUID

ELEMENTS_MAX = 100_000
"""How many elements the arrays of one request, and how many tags, may have together.

It bounds what a frame can cost before its request is even known: some 100 ms.
"""

STRING_BYTES_MAX = 2**15 - 1

Decoder = Callable[[bytes, int], Any]

_FIXED = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "int64": "q",
    "float64": "d",
}
_NO_UUID = bytes(16)
_VARINT_BYTES_MAX = 5


class MalformedError(Exception):
    """Bytes that are no request of the kind and version they claim; the text says why."""


@cache
def decoder_of(request_class: Any, version: int) -> Decoder:
    """What reads the body of a request from a frame, at a position: `(frame, position)`.

    It raises `MalformedError`, or what Python raises where a frame ends early.
    """
    return _Source(version, request_class.flexible_version_q(version)).compiled(
        request_class._struct, request_class
    )


def varint(frame: bytes, position: int) -> tuple[int, int]:
    """An unsigned number of variable length, and the position behind it.

    Java keeps it in an int, so that the largest are negative. Raises `MalformedError`.
    """
    value = 0
    for number in range(_VARINT_BYTES_MAX):
        byte = frame[position + number]
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            value &= 0xFFFF_FFFF
            return value - (value >> 31 << 32), position + number + 1
    raise MalformedError("a number that does not end")


def skip_tags(frame: bytes, position: int) -> int:
    """The position behind tagged fields that nobody here knows. Raises `MalformedError`."""
    count, position = varint(frame, position)
    return _read_tags(frame, position, _checked_count(frame, position, count), {}, None)


def _checked_count(frame: bytes, position: int, count: int) -> int:
    if not 0 <= count <= min(len(frame) - position, ELEMENTS_MAX):
        raise MalformedError(f"{count} tagged fields in {len(frame) - position} bytes")
    return count


def _read_tags(
    frame: bytes, position: int, count: int, known: dict[int, tuple[str, Any]], holder: Any
) -> int:
    """Read tagged fields into their holder. Like Java's, known ones are as long as they are."""
    for _ in range(count):
        tag, position = varint(frame, position)
        size, position = varint(frame, position)
        if tag in known:
            name, decode = known[tag]
            value, position = decode(frame, position)
            setattr(holder, name, value)
        elif 0 <= size <= len(frame) - position:
            position += size
        else:
            raise MalformedError(f"a tagged field of {size} bytes")
    return position


def _check_end(frame: bytes, position: int) -> None:
    if position > len(frame):
        raise MalformedError("it ends early")


def _refuse(what: str) -> None:
    raise MalformedError(what)


class _Source:
    """The source of one decoder, and the objects that it names.

    In it `data` is the frame, `pos` the position and `end` the frame's length; `left` counts the
    elements that may still come. Slices beyond the end are short, and every later read of a fixed
    size fails, so that one look at the very end covers them.
    """

    def __init__(self, version: int, is_flexible: bool) -> None:
        self._version = version
        self._is_flexible = is_flexible
        self._lines: list[str] = []
        self._names: dict[str, Any] = {
            "UUID": UUID,
            "varint": varint,
            "read_tags": _read_tags,
            "refuse": _refuse,
            "check_end": _check_end,
            "new": object.__new__,
            "NO_UUID": _NO_UUID,
        }
        self._count = 0

    def compiled(self, struct: Any, data_class: Any) -> Decoder:
        """The decoder of a whole request."""
        self._begin()
        self._struct("v", struct, data_class, "    ")
        self._emit("    ", "check_end(data, pos)", "return v")
        return self._compile(struct.name)

    def _compiled_field(self, field: Any) -> Decoder:
        """The decoder of one tagged field; it returns the position too."""
        self._begin()
        self._field("v", field, "    ")
        self._emit("    ", "check_end(data, pos)", "return v, pos")
        return self._compile(field.name)

    def _begin(self) -> None:
        self._emit("", "def decode(data, pos):")
        self._emit("    ", "end = len(data)", f"left = {ELEMENTS_MAX}")

    def _compile(self, name: str) -> Decoder:
        code = compile("\n".join(self._lines), f"<decoder of {name} {self._version}>", "exec")
        exec(code, self._names)
        decode: Decoder = self._names["decode"]
        return decode

    def _emit(self, indent: str, *lines: str) -> None:
        self._lines += [indent + line for line in lines]

    def _name(self, value: Any = None) -> str:
        """A name that is new; of `value`, if one is given."""
        self._count += 1
        name = f"v{self._count}"
        if value is not None:
            self._names[name] = value
        return name

    def _struct(self, into: str, struct: Any, data_class: Any, indent: str) -> None:
        self._emit(
            indent,
            f"{into} = new({self._name(data_class)})",
            f"{into}._version = {self._version}",
            f"{into}.tags = {into}.unknown_tags = None",
        )
        run: list[Any] = []
        for field in struct.untagged_fields(self._version):
            if field.type_str in _FIXED and not field.is_array():
                run.append(field)
                continue
            self._fixed_run(into, run, indent)
            self._field(f"{into}.{field.name}", field, indent)
            run = []
        self._fixed_run(into, run, indent)
        if self._is_flexible:
            self._tags(into, struct, indent)

    def _fixed_run(self, into: str, run: list[Any], indent: str) -> None:
        """Fields of fixed size in a row, by one call."""
        if run:
            targets = "".join(f"{into}.{field.name}, " for field in run)
            self._fixed(targets, [field.type_str for field in run], indent)

    def _fixed(self, targets: str, types: list[str], indent: str) -> None:
        layout = Struct(">" + "".join(map(_FIXED.__getitem__, types)))
        read = self._name(layout.unpack_from)
        self._emit(indent, f"{targets}= {read}(data, pos)", f"pos += {layout.size}")

    def _field(self, into: str, field: Any, indent: str) -> None:
        if field.is_array():
            self._array(into, field, indent)
        elif field.is_struct():
            self._nested(into, field, indent)
        elif field.type_str in _FIXED:
            self._fixed(f"{into}, ", [field.type_str], indent)
        elif field.type_str == "uuid":
            raw = self._name()
            self._emit(
                indent,
                f"{raw} = data[pos : pos + 16]",
                f"{into} = None if {raw} == NO_UUID else UUID(bytes={raw})",
                "pos += 16",
            )
        else:
            self._text_or_bytes(into, field, indent)

    def _nested(self, into: str, field: Any, indent: str) -> None:
        """A structure in a structure, with a byte before it that is negative for none."""
        if not field.nullable_for_version_q(self._version):
            self._struct(into, field, field.data_class, indent)
            return
        self._emit(indent, "pos += 1", "if data[pos - 1] > 127:", f"    {into} = None", "else:")
        self._struct(into, field, field.data_class, indent + "    ")

    def _text_or_bytes(self, into: str, field: Any, indent: str) -> None:
        is_text = field.type_str == "string"
        size = self._size("h" if is_text else "i", indent)
        self._none_if_negative(into, size, field, indent)
        if is_text and self._is_flexible:
            self._emit(indent, f"elif {size} > {STRING_BYTES_MAX}:", "    refuse('a long string')")
        piece = f"data[pos : pos + {size}]"
        self._emit(
            indent,
            "else:",
            f"    {into} = {piece}.decode('utf-8', 'replace')"
            if is_text
            else f"    {into} = {piece}",
            f"    pos += {size}",
        )

    def _array(self, into: str, field: Any, indent: str) -> None:
        count = self._size("i", indent)
        items, item = self._name(), self._name()
        self._none_if_negative(into, count, field, indent)
        self._emit(
            indent,
            "else:",
            f"    left -= {count}",
            f"    if left < 0 or {count} > end - pos: refuse('an array of %d' % {count})",
            f"    {items} = {into} = []",
            f"    for _ in range({count}):",
        )
        element = field.array_of
        if element.is_struct():
            self._struct(item, element, element.data_class, indent + "        ")
        else:
            self._field(item, element, indent + "        ")
        self._emit(indent, f"        {items}.append({item})")

    def _size(self, layout: str, indent: str) -> str:
        """The name of a size, which is read: one more than it as a varint, or as it is."""
        size = self._name()
        if self._is_flexible:
            self._varint(size, indent)
            self._emit(indent, f"{size} -= 1")
        else:
            read = Struct(">" + layout)
            self._emit(
                indent,
                f"{size} = {self._name(read.unpack_from)}(data, pos)[0]",
                f"pos += {read.size}",
            )
        return size

    def _varint(self, into: str, indent: str) -> None:
        self._emit(
            indent,
            f"{into} = data[pos]",
            "pos += 1",
            f"if {into} > 127: {into}, pos = varint(data, pos - 1)",
        )

    def _none_if_negative(self, into: str, size: str, field: Any, indent: str) -> None:
        if field.nullable_for_version_q(self._version):
            self._emit(indent, f"if {size} < 0: {into} = None")
        else:
            self._emit(indent, f"if {size} < 0: refuse('{field.name} is null')")

    def _tags(self, into: str, struct: Any, indent: str) -> None:
        known = {
            field.tag: (field.name, _Source(self._version, True)._compiled_field(field))
            for field in struct.fields.values()
            if field.for_version_q(self._version) and field.tagged_field_q(self._version)
        }
        count = self._name()
        self._varint(count, indent)
        self._emit(
            indent,
            f"if {count}:",
            f"    left -= {count}",
            f"    if left < 0 or not 0 <= {count} <= end - pos: refuse('%d tags' % {count})",
            f"    pos = read_tags(data, pos, {count}, {self._name(known)}, {into})",
        )
