"""The compact Thrift encoding, generically: just enough to move the parts of a Parquet footer.

A struct is a dict {field id: (type, value)}; a list is (element type, values). Nothing here knows what fields mean.
Format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

Struct = dict[int, tuple[int, Any]]


class Reader:
    """Reads values from bytes, front to back."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = data
        self.at = 0

    def value(self, kind: int) -> Any:
        """Read one value of a type."""
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in (I16, I32, I64):
            number = self._varint()
            return (number >> 1) ^ -(number & 1)
        if kind == BINARY:
            return self._take(self._varint())
        if kind in (LIST, SET):
            return self._list()
        if kind == STRUCT:
            return self.struct()
        if kind == BYTE:
            return self._take(1)[0]
        if kind == DOUBLE:
            return struct.unpack("<d", self._take(8))[0]
        raise ValueError(f"type {kind} does not occur in a Parquet footer")

    def struct(self) -> Struct:
        """Read fields until the stop byte."""
        fields: Struct = {}
        number = 0
        while head := self._take(1)[0]:
            delta, kind = head >> 4, head & 0x0F
            number = number + delta if delta else self.value(I16)
            fields[number] = (kind, self.value(kind))
        return fields

    def _list(self) -> tuple[int, list[Any]]:
        head = self._take(1)[0]
        size, kind = head >> 4, head & 0x0F
        size = self._varint() if size == 15 else size
        if kind in (TRUE, FALSE):
            return kind, [self._take(1)[0] == TRUE for _ in range(size)]
        return kind, [self.value(kind) for _ in range(size)]

    def _take(self, size: int) -> bytes:
        part = bytes(self.data[self.at : self.at + size])
        if len(part) < size:
            raise ValueError("the footer is cut short")
        self.at += size
        return part

    def _varint(self) -> int:
        number, shift = 0, 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7


class Writer:
    """Appends values to bytes."""

    def __init__(self) -> None:
        self.out = bytearray()

    def value(self, kind: int, value: Any) -> None:
        """Write one value of a type."""
        if kind in (I16, I32, I64):
            self.varint((value << 1) ^ (value >> 63))
        elif kind == BINARY:
            self.varint(len(value))
            self.out += value
        elif kind in (LIST, SET):
            self._list(*value)
        elif kind == STRUCT:
            self.struct(value)
        elif kind == BYTE:
            self.out.append(value)
        elif kind == DOUBLE:
            self.out += struct.pack("<d", value)
        else:
            raise ValueError(f"type {kind} does not occur in a Parquet footer")

    def struct(self, fields: Struct) -> None:
        """Write fields in order of their ids, then the stop byte."""
        last = 0
        for number, (declared, value) in sorted(fields.items()):
            kind = (TRUE if value else FALSE) if declared in (TRUE, FALSE) else declared
            if 0 < number - last <= 15:
                self.out.append((number - last) << 4 | kind)
            else:
                self.out.append(kind)
                self.value(I16, number)
            if kind not in (TRUE, FALSE):
                self.value(kind, value)
            last = number
        self.out.append(0)

    def _list(self, kind: int, values: list[Any]) -> None:
        if len(values) < 15:
            self.out.append(len(values) << 4 | kind)
        else:
            self.out.append(0xF0 | kind)
            self.varint(len(values))
        for value in values:
            if kind in (TRUE, FALSE):
                self.out.append(TRUE if value else FALSE)
            else:
                self.value(kind, value)

    def varint(self, number: int) -> None:
        """Write an unsigned number, seven bits a byte."""
        while number >= 0x80:
            self.out.append(number & 0x7F | 0x80)
            number >>= 7
        self.out.append(number)


def read_struct(data: bytes | memoryview) -> Struct:
    """Decode one struct."""
    return Reader(data).struct()


def write_struct(fields: Struct) -> bytes:
    """Encode one struct."""
    writer = Writer()
    writer.struct(fields)
    return bytes(writer.out)
