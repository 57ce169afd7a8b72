"""The files of a multipart/form-data body; the library bounds the headers of each."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mnistlab.serving.responses import RefusedError


def parts_of(content_type: str, body: bytes, most: int) -> list[bytes]:
    """The contents of all parts in their order; RefusedError for what is damaged or not a file."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary or len(boundary) > 200:
        raise RefusedError(400, "the content type multipart/form-data names no boundary")
    reader = _Parts(most)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.add_name,
                "on_header_value": reader.add_value,
                "on_header_end": reader.end_header,
                "on_headers_finished": reader.end_headers,
                "on_part_data": reader.add_data,
                "on_part_end": reader.end_part,
                "on_end": reader.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise RefusedError(400, "the multipart body is damaged") from error
    if not reader.is_whole:
        raise RefusedError(400, "the multipart body is cut off")
    return reader.contents


class _Parts:
    """Receives what the parser finds, piece by piece."""

    def __init__(self, most: int) -> None:
        self.contents: list[bytes] = []
        self.is_whole = False
        self._most = most
        self._name, self._value, self._data = bytearray(), bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}

    def begin(self) -> None:
        if len(self.contents) >= self._most:
            raise RefusedError(413, f"more than {self._most} images in a request")
        self._headers = {}
        self._data = bytearray()

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"filename" not in options:
            raise RefusedError(422, "every part of the multipart body must be a file")

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def end_part(self) -> None:
        self.contents.append(bytes(self._data))

    def end(self) -> None:
        self.is_whole = True
