"""Texts that stand where a JSON value should, and what must become of them.

`accept`: the value is used. `refuse`: the record is no JSON and is refused as a whole. `alone`:
the value is none that may go on, and only its item is refused. `either`: both are right, raising is
not.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Case(NamedTuple):
    """One text; `verdict` as above."""

    name: str
    verdict: str
    text: bytes


def cases() -> list[Case]:
    """Return every case, each under a name of its own."""
    return [
        *_named("accept", "number", _NUMBERS),
        *_named("accept", "string", _STRINGS),
        *_named("accept", "escape", (rb'"\%c"' % code for code in b'"\\/bfnrt')),
        *_named("accept", "character", (f'"{each}"'.encode() for each in _CHARACTERS)),
        *_named("accept", "structure", _STRUCTURES),
        *_named("accept", "space", (b"%c1%c" % (code, code) for code in b" \t\n\r")),
        *_named("accept", "depth", (_deep(levels) for levels in (3, 10, 30, 60))),
        *_named("refuse", "number", _NO_NUMBERS),
        *_named("refuse", "string", _NO_STRINGS),
        *_named("refuse", "control", (b'"%c"' % code for code in range(32))),
        *_named("refuse", "escape", (rb'"\%c"' % code for code in _NO_ESCAPES)),
        *_named("refuse", "bytes", (b'"%b"' % each for each in _NO_UTF8)),
        *_named("refuse", "structure", _NO_STRUCTURES),
        *_named("refuse", "space", (b"%b1" % each for each in _NO_SPACES)),
        *_named("refuse", "cut", _cut()),
        *_named("alone", "number", _NOT_FINITE),
        *_named("alone", "surrogate", _SURROGATES),
        *_named("alone", "depth", (_deep(levels) for levels in (65, 70, 100, 300))),
        *_named("either", "number", _ROUNDED),
        *_named("either", "structure", _DOUBTFUL),
        *_named("either", "depth", (_deep(levels) for levels in (62, 63, 64, 1_000, 5_000))),
        *_named("either", "depth cut", (b"[" * 100, b"[" * 100_000, b'{"a":' * 50_000)),
    ]


def _named(verdict: str, kind: str, texts: Iterator[bytes] | tuple[bytes, ...]) -> list[Case]:
    return [
        Case(f"{verdict} {kind} {number}", verdict, text) for number, text in enumerate(texts, 1)
    ]


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def _cut() -> Iterator[bytes]:
    """Every beginning of a text that is none by itself."""
    whole = b'{"a":[true,{"b":-1.5e3,"c":"\\u00e9"},null]}'
    for length in range(5, len(whole)):
        yield whole[:length]


_NUMBERS = (
    *(b"0", b"-0", b"1", b"-1", b"10", b"1234567890", b"0.0", b"-0.0", b"0.5", b"-0.5", b"1.25"),
    *(b"1e0", b"1E0", b"1e5", b"1E5", b"1e+5", b"1E+5", b"1e-5", b"1E-5", b"-1e5", b"0e0", b"0e+1"),
    *(b"0E5", b"1.5e3", b"-1.5E-3", b"0.1e1", b"20e1", b"123.456e78", b"1e308", b"-1e308"),
    *(b"9007199254740991", b"9007199254740993", b"-9007199254740993", b"9223372036854775807"),
    *(b"-9223372036854775808", b"9223372036854775808", b"18446744073709551615"),
    *(b"1881540927845654529", b"0.1234567890123456789", b"1.7976931348623157e308", b"5e-324"),
    *(b"1.000000000000000000000", b"1e00005", b"100000000000000000000e-10", b"0.000000001"),
)

_STRINGS = (
    *(b'""', b'"a"', b'" "', b'"stationId"', b'"[]"', b'"{}"', b'"null"', b'"NaN"', b'"1e400"'),
    *(b'"\\u0000"', b'"\\u001f"', b'"\\u0020"', b'"\\u007f"', b'"\\u00e9"', b'"\\u00E9"'),
    *(b'"\\u2028"', b'"\\u2029"', b'"\\ufeff"', b'"\\ufffe"', b'"\\uffff"', b'"\\ud83d\\ude00"'),
    *(b'"\\uDBFF\\uDFFF"', b'"\\u6674"', b'"\\\\u0000"', b'"\\"quoted\\""', b'"a\\/b"'),
    *(b'"' + b"x" * 10_000 + b'"', b'"\\\\\\\\"', b'"\x7f"', b'"//"', b'"/* */"'),
)

_CHARACTERS = "\u0080\u00e9\u07ff\u0800\u2028\u2029\u3000\u6674\ufeff\ufffd\ufffe\uffff\U00010000"
_CHARACTERS += "\U0001f600\U0010ffff"

_STRUCTURES = (
    *(b"[]", b"{}", b"[[]]", b"[{}]", b'{"a":[]}', b'{"a":{}}', b"[1]", b"[1,2]", b"[null]"),
    *(b"true", b"false", b"null", b"[true,false,null]", b'["a",1,{}]', b'{"":1}', b'{"a":1}'),
    *(b'{"a":1,"b":2}', b'{"a":1,"a":2}', b'{"a":null,"a":null}', b'{"\\u0061":1}', b"[ ]", b"{ }"),
    *(b"[ 1 , 2 ]", b'{ "a" : 1 }', b"[\n1\n]", b'{"a"\t:\r1}', b'{"a":{"b":{"c":[1]}}}'),
    *(b"[" + b"1," * 500 + b"1]", b"[" + b"[]," * 500 + b"{}]", b'{"stationId":"other"}'),
    *(b'{"fee":[1]}', b'{"calendar":[]}', b'[""]', b'[[["a"]]]', b'{"x":[{"y":[{"z":[]}]}]}'),
)

_NO_NUMBERS = (
    *(b"+1", b"--1", b"-", b"+", b"- 1", b".5", b"-.5", b"5.", b"-5.", b"1.e1", b".", b"-."),
    *(b"01", b"-01", b"00", b"0123", b"0x1", b"0X1F", b"0b1", b"0o7", b"1_000", b"1,5.2,", b"1 2"),
    *(b"1e", b"1e+", b"1e-", b"1E", b"e5", b"1e5.5", b"1e1e1", b"1.2.3", b"1..2", b"0.e1", b"1a"),
    *(b"-a", b"1f", b"1L", b"1n", b"$1", b"1%", b"\xef\xbc\x91", b"\xd9\xa1", b"1\xc2\xa0", b"1/2"),
    *(b"nan", b"inf", b"-inf", b"+Infinity", b"-NaN", b"Inf", b"infinity", b"1e\xe2\x88\x921"),
    *(b"\xe2\x88\x921", b"#1", b"1#", b"0xAp1", b"1'000", b"++1", b"1-", b"1+1", b"0-0"),
)

_NO_STRINGS = (
    *(b'"', b"'", b"'a'", b'"a', b'a"', b"a", b"`a`", b'"\\"', b'"\\', b'"\\u"', b'"\\u1"'),
    *(b'"\\u12"', b'"\\u123"', b'"\\u123g"', b'"\\uu123"', b'"\\U0041"', b'"\\u+041"', b'"\\x41"'),
    *(
        b'"\\101"',
        b'"\\ u0041"',
        b'"a" "b"',
        b'"a"b',
        b'b"a"',
        b'"a\\',
        b'"\\u00e"',
        b'"""',
        b'""a',
    ),
    *(
        b'"a\nb"',
        b'"a\tb"',
        b'"a\rb"',
        b"\xe2\x80\x9ca\xe2\x80\x9d",
        b'\\"a\\"',
        b'"\\\n"',
        b'u"a"',
    ),
)

_NO_ESCAPES = bytes(code for code in range(33, 127) if chr(code) not in '"\\/bfnrtu')[::3]

_NO_UTF8 = (
    *(b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc3(", b"\xe0\x80\x80", b"\xe2\x82"),
    *(b"\xe2(\xa1", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x9f\x98"),
    *(b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xe9"),
    *(b"a\xff", b"\xc3\xa9\xff", b"\xff\xfe", b"\xfe\xff", b"\xa0"),
)

_NO_STRUCTURES = (
    *(
        b"",
        b"[",
        b"]",
        b"{",
        b"}",
        b"[}",
        b"{]",
        b"[1",
        b"1]",
        b"[1}",
        b'{"a":1]',
        b"[1,]",
        b"[,1]",
    ),
    *(b"[,]", b"[1,,2]", b"[1 2]", b"[1:2]", b"[1;2]", b"(1)", b"<1>", b"{1:2}", b"{a:1}"),
    *(b"{'a':1}", b'{"a"}', b'{"a":}', b"{:1}", b'{"a" 1}', b'{"a":1,}', b'{,"a":1}', b'{"a"::1}'),
    *(b'{"a":1 "b":2}', b'{"a":1;"b":2}', b'{"a":1:2}', b'{"a","b"}', b"{null:1}", b"{[]:1}"),
    *(b"True", b"False", b"None", b"TRUE", b"NULL", b"nul", b"tru", b"fals", b"truee", b"nulls"),
    *(b"undefined", b"[1]]", b"[[1]", b"{}}", b"[]{}", b"1/**/", b"/**/1", b"1//", b"#", b"1\x00"),
    *(
        b"[1,\n",
        b'{"a":1',
        b'{"a"',
        b'{"a":{',
        b"*",
        b"&a",
        b"!!str a",
        b"-{}",
        b"[-]",
        b"=1",
        b"@",
    ),
    *(b"...", b"[...]", b"{...a}", b"a=1", b"<a/>", b"\xef\xbb\xbf1", b"[\xef\xbb\xbf1]"),
)

_NO_SPACES = (
    *(b"\x0b", b"\x0c", b"\x00", b"\x1c", b"\x85", b"\xc2\x85", b"\xc2\xa0", b"\xe2\x80\xa8"),
    *(b"\xe3\x80\x80", b"\xe2\x81\xa0", b"\\n", b"\x08", b"\x7f", b"\xe1\x9a\x80"),
)

_NOT_FINITE = (
    *(b"NaN", b"Infinity", b"-Infinity", b"[NaN]", b'{"a":Infinity}', b"[1,[-Infinity]]", b"1e400"),
    *(b"-1e400", b"1E999", b"[1e309]", b"1.8e308", b"9" * 400, b"-" + b"9" * 400, b"0.1e400"),
)

_SURROGATES = (
    *(b'"\\ud800"', b'"\\udfff"', b'"\\udc00\\ud800"', b'"\\ud800a"', b'"a\\udbff"'),
    *(b'"\\ud800\\ud800"', b'"\\uD83D"', b'["\\ud800"]', b'{"\\ud800":1}', b'{"a":"\\udc00"}'),
    *(b'"\\ud800\\n"', b'"\\ud83d\\u0041"', b'"\\ud83d\\ude00\\ud83d"'),
)

_ROUNDED = (
    *(b"1e-400", b"-1e-400", b"123456789012345678901234567890", b"-9223372036854775809"),
    *(b"18446744073709551616", b"0." + b"1" * 5_000, b"1" * 300, b"1e-99999", b"4.9e-325"),
    *(b"1" * 5_000, b"1e99999999999", b"0e99999999999", b"-0e400"),
)

_DOUBTFUL = (
    *(b'{"a":1,"\\u0061":2}', b'{"stationId":1,"stationId":2}', b'{"a":NaN,"a":1}', b'"\\ud800\\"'),
    *(b'{"a":"\\ud800","a":"b"}', b"[NaN", b"NaN NaN", b"Infinityy", b"1e400e", b'["\\ud800"'),
    *(b"\xef\xbb\xbf", b"1\x00\x00\x00", b"\xff\xfe1\x00"),
)
